"""What the pages read from the records. Every function blocks on the store and sees one moment of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.errors import NotFoundError
from forge_hub.records.database import Database
from forge_hub.records.schema import (
    Account,
    DesiredTwin,
    FormAnswer,
    FormResponse,
    Person,
    Room,
    Utterance,
)

PEOPLE_LIMIT = 500
RESPONSES_LIMIT = 50


@dataclass(frozen=True, slots=True)
class RecordedForm:
    """A form response with its answers in the order they were given."""

    response: FormResponse
    answers: Sequence[FormAnswer]


@dataclass(frozen=True, slots=True)
class PersonForms:
    """A person with their forms, newest first; at most 50."""

    person: Person
    forms: Sequence[RecordedForm]


@dataclass(frozen=True, slots=True)
class RoomState:
    """A room and the pseudonym of the person who is in it, if one is known.

    Attributes:
        on_file: Whether there is a record of that person yet.
        told: What the room's node was told last; None: nobody keeps stays for this room.
    """

    room: Room
    pseudonym: str | None
    on_file: bool = True
    told: DesiredTwin | None = None

    @property
    def is_applied(self) -> bool:
        """Whether the node has said that it does what it was told last."""
        return self.told is None or self.told.revision == self.room.twin_revision


def usernames(database: Database, account_ids: Iterable[str]) -> dict[str, str]:
    """Return usernames by account id; unknown ids are left out."""
    wanted = set(account_ids)
    if not wanted:
        return {}
    with database.read() as transaction:
        rows = transaction.execute(select(Account.id, Account.username).where(Account.id.in_(wanted)))
        return {row[0]: row[1] for row in rows}


def accounts(database: Database) -> list[Account]:
    """Return every account by username."""
    with database.read() as transaction:
        return list(transaction.scalars(select(Account).order_by(Account.username)))


def any_room(database: Database) -> bool:
    """Tell whether any room has ever connected."""
    with database.read() as transaction:
        return transaction.scalars(select(Room.node).limit(1)).first() is not None


def rooms(database: Database) -> list[RoomState]:
    """Return every room by name."""
    with database.read() as transaction:
        return [_room(transaction, each) for each in transaction.scalars(select(Room).order_by(Room.node))]


def room(database: Database, node: str) -> RoomState:
    """Return one room.

    Raises:
        NotFoundError: There is no such room.
    """
    found = find_room(database, node)
    if found is None:
        raise NotFoundError("there is no such room")
    return found


def find_room(database: Database, node: str) -> RoomState | None:
    """Return one room; None when its node has never connected."""
    with database.read() as transaction:
        found = transaction.get(Room, node)
        return None if found is None else _room(transaction, found)


def _room(transaction: Transaction, found: Room) -> RoomState:
    """Return a room with its person: whose stay it is, or, where nobody keeps stays, whoever was heard there last."""
    told = transaction.get(DesiredTwin, found.node)
    if told is not None:
        subject = told.wanted["subject"]
        return RoomState(found, subject, subject is not None and transaction.get(Person, subject) is not None, told)
    newest = select(Person.pseudonym).where(Person.node == found.node).order_by(Person.first_seen.desc()).limit(1)
    return RoomState(found, transaction.scalars(newest).first())


def pseudonyms(database: Database) -> list[str]:
    """Return the pseudonyms of everyone on file, the last admitted first; at most 500."""
    query = select(Person.pseudonym).order_by(Person.first_seen.desc(), Person.pseudonym).limit(PEOPLE_LIMIT)
    with database.read() as transaction:
        return list(transaction.scalars(query))


def person_with_forms(database: Database, pseudonym: str) -> PersonForms:
    """Return one person and what they have filled in.

    Raises:
        NotFoundError: There is no such person.
    """
    with database.read() as transaction:
        found = transaction.get(Person, pseudonym)
        if found is None:
            raise NotFoundError("there is no such person")
        responses = list(
            transaction.scalars(
                select(FormResponse)
                .where(FormResponse.subject == pseudonym)
                .order_by(FormResponse.recorded_at.desc(), FormResponse.id)
                .limit(RESPONSES_LIMIT)
            )
        )
        answers = list(
            transaction.scalars(
                select(FormAnswer)
                .where(FormAnswer.response.in_([response.id for response in responses]))
                .order_by(FormAnswer.ordinal)
            )
        )
    return PersonForms(found, [RecordedForm(each, [a for a in answers if a.response == each.id]) for each in responses])


def utterance(database: Database, utterance_id: str) -> Utterance:
    """Return one utterance.

    Raises:
        NotFoundError: There is no such utterance.
    """
    with database.read() as transaction:
        found = transaction.get(Utterance, utterance_id)
    if found is None:
        raise NotFoundError("there is no such utterance")
    return found
