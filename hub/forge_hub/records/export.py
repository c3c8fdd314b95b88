"""A person's forms as a FHIR R4 Bundle that leads back to nobody here.

Every id in it is random and made for this one export: the same person exported twice gives two strangers. What is left
are the answers, their times and how they were given.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from forge_hub.errors import NotFoundError
from forge_hub.records.database import Database
from forge_hub.records.schema import FormAnswer, FormResponse, Person
from forge_shared.forms.elements import ANSWER_MODE
from forge_shared.forms.questionnaire import Item, Questionnaire


def forms_of(database: Database, pseudonym: str) -> list[tuple[FormResponse, Sequence[FormAnswer]]]:
    """Return every form of a person with its answers, in the order in which they were recorded.

    Raises:
        NotFoundError: There is no such person.
    """
    with database.read() as transaction:
        if transaction.get(Person, pseudonym) is None:
            raise NotFoundError("there is no such person")
        mine = select(FormResponse).where(FormResponse.subject == pseudonym)
        responses = list(transaction.scalars(mine.order_by(FormResponse.recorded_at, FormResponse.id)))
        return [
            (
                response,
                list(
                    transaction.scalars(
                        select(FormAnswer).where(FormAnswer.response == response.id).order_by(FormAnswer.ordinal)
                    )
                ),
            )
            for response in responses
        ]


def bundle_of(
    recorded: Sequence[tuple[FormResponse, Sequence[FormAnswer]]], forms: Mapping[str, Questionnaire]
) -> dict[str, Any]:
    """Return a FHIR R4 Bundle of type ``collection``: a Patient without identifiers, and the responses.

    Args:
        recorded: Forms of one person.
        forms: Questionnaires by id. Answers to one that is not among them are listed flat, with codes alone.
    """
    patient = _urn()
    known = {form.canonical: form for form in forms.values()}
    resources = [(patient, {"resourceType": "Patient"})]
    for response, answers in recorded:
        given = {answer.link_id: answer for answer in answers}
        form = known.get(response.questionnaire)
        items = [_flat(answer) for answer in answers] if form is None else _items(form.item, given, response.total)
        resource: dict[str, Any] = {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": response.questionnaire,
            "status": response.status,
            "subject": {"reference": patient},
            "authored": _instant(response.recorded_at),
        }
        resources.append((_urn(), resource | ({"item": items} if items else {})))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": urn, "resource": {**resource, "id": urn.removeprefix("urn:uuid:")}}
            for urn, resource in resources
        ],
    }


def _items(items: Sequence[Item], given: Mapping[str, FormAnswer], total: int | None) -> list[dict[str, Any]]:
    """Return the items of a response, nested as those of its questionnaire; what was not answered is left out."""
    found: list[dict[str, Any]] = []
    for item in items:
        answer = given.get(item.link_id)
        option = item.option(answer.code) if answer is not None else None
        value: dict[str, Any] = {"linkId": item.link_id, **({"text": item.text} if item.text else {})}
        if item.type == "group":
            below = _items(item.item, given, total)
            found += [{**value, "item": below}] if below else []
        elif item.type == "integer" and item.read_only and total is not None:
            found.append({**value, "answer": [{"valueInteger": total}]})
        elif answer is not None and option is not None:
            coding = {
                "system": option.system,
                "code": option.code,
                **({"display": option.display} if option.display else {}),
            }
            found.append({**value, "answer": [{**_mode(answer), "valueCoding": coding}]})
    return found


def _flat(answer: FormAnswer) -> dict[str, Any]:
    return {"linkId": answer.link_id, "answer": [{**_mode(answer), "valueCoding": {"code": answer.code}}]}


def _mode(answer: FormAnswer) -> dict[str, Any]:
    return {"extension": [{"url": ANSWER_MODE, "valueCode": answer.mode}]}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _urn() -> str:
    # Random to the last bit: the ids used elsewhere begin with the time at which they were made.
    return f"urn:uuid:{uuid.uuid4()}"
