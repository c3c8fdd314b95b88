"""Makes a FHIR R4 Questionnaire ready to be read: what is not done here is left out with a warning, never in silence.

A warning's code is stable and names what was left out or assumed, and its link id the place.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forge_shared.errors import FormInvalidError
from forge_shared.forms import loinc
from forge_shared.forms.elements import UNDERSTOOD

MOST_ITEMS = 2_000
DEEPEST = 20
"""Bounds of a form. Ours: the longest published forms have some hundred items and five levels."""
MOST_VALUE_SETS = 200
LARGEST_VALUE_SET_BYTES = 1_000_000
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

Json = dict[str, Any]

_SILENT = (
    "http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-choiceOrientation",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-displayCategory",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-optionPrefix",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-columnCount",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-sliderStepValue",
    "http://hl7.org/fhir/StructureDefinition/entryFormat",
    "http://hl7.org/fhir/StructureDefinition/rendering-",
    "http://hl7.org/fhir/StructureDefinition/designNote",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-shortText",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-width",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-itemExtractionContext",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationLinkPeriod",
)
"""How a form is laid out on a page, or what is done with it later: nothing that changes a question or an answer."""

_FORM_KEYS = frozenset(
    {"resourceType", "id", "url", "version", "title", "_title", "status", "language", "description", "copyright"}
    | {"subjectType", "code", "extension", "item"}
)
_FORM_PAPERS = frozenset(
    {"meta", "text", "contained", "identifier", "name", "derivedFrom", "experimental", "date", "publisher", "contact"}
    | {"useContext", "jurisdiction", "purpose", "approvalDate", "lastReviewDate", "effectivePeriod", "implicitRules"}
)
"""What a catalogue needs to know of a form, and who answers it does not."""
_ITEM_KEYS = frozenset(
    {"linkId", "type", "text", "_text", "prefix", "code", "required", "readOnly", "repeats", "maxLength", "extension"}
    | {"enableWhen", "enableBehavior", "answerOption", "answerValueSet", "initial", "item"}
)
_ITEM_PAPERS = frozenset({"id", "definition"})
_OPTION_KEYS = frozenset(
    {"valueCoding", "valueString", "valueInteger", "valueDate", "valueTime", "initialSelected", "extension"}
)
_CODING_KEYS = frozenset({"system", "version", "code", "display", "_display", "extension"})
_VALUES = {"Boolean", "Decimal", "Integer", "Date", "DateTime", "Time", "String", "Coding", "Quantity"}
_CONDITION_KEYS = frozenset({"question", "operator", *(f"answer{kind}" for kind in _VALUES)})
_INITIAL_KEYS = frozenset({"valueUri", *(f"value{kind}" for kind in _VALUES)})
_EXTENSION_KEYS = frozenset(
    {"url", "valueCode", "valueId", "valueMarkdown", "valueExpression", *(f"value{kind}" for kind in _VALUES)}
)


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that was left out or assumed.

    Attributes:
        code: Stable and safe to log.
        link_id: The item that it is about; None for the whole form.
        text: What was done about it, for a person.
    """

    code: str
    link_id: str | None
    text: str


def prepared(raw: object, name: str, folder: Path | None) -> tuple[Json, tuple[Warned, ...]]:
    """Return ``raw`` with only what is understood here, and what was left out or assumed.

    Args:
        raw: Parsed JSON.
        name: The file's name.
        folder: Where value sets that the form names may lie.

    Raises:
        FormInvalidError: This is no Questionnaire, or it is larger or deeper than any form is.
    """
    if not isinstance(raw, dict):
        raise FormInvalidError(f"{name} is no FHIR resource")
    kind = raw.get("resourceType")
    if kind != "Questionnaire":
        what = f"a {kind[:64]}" if isinstance(kind, str) and kind.isalpha() else "no FHIR resource"
        raise FormInvalidError(f"{name} is {what}, not a Questionnaire")
    return _Intake(raw, name, folder).run()


def is_value_set(path: Path) -> bool:
    """Tell whether a file holds a FHIR ValueSet, which a form beside it may name."""
    return any(one.get("resourceType") == "ValueSet" for one in _contents([path]))


class _Intake:
    def __init__(self, raw: Json, name: str, folder: Path | None) -> None:
        self._raw = raw
        self._name = name
        self._folder = folder
        self._warnings: list[Warned] = []
        self._named: dict[str, Json] | None = None
        self._items = 0

    def run(self) -> tuple[Json, tuple[Warned, ...]]:
        raw = self._raw
        form = self._known(raw, _FORM_KEYS, _FORM_PAPERS, None)
        self._label(form)
        self._element(form, "_title", None)
        form["code"] = self._codes(raw.get("code"), None)
        form["extension"] = self._extensions(raw.get("extension"), None)
        form["item"] = [self._item(item, 1) for item in _objects(raw.get("item"), self._name)]
        if not form["item"]:
            raise FormInvalidError(f"{self._name} has no items")
        return {key: value for key, value in form.items() if value not in ([], None)}, tuple(self._warnings)

    def _warn(self, code: str, link_id: str | None, text: str) -> None:
        self._warnings.append(Warned(code, link_id, text))

    def _label(self, form: Json) -> None:
        """Give a form what a room needs to name it by."""
        stem = re.sub(r"[^a-z0-9]+", "-", self._name.lower().removesuffix(".json")).strip("-")[:63] or "form"
        given = form.get("id")
        if not isinstance(given, str) or _NAME.fullmatch(given) is None:
            plain = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")[:63] if isinstance(given, str) else ""
            form["id"] = plain or stem
            self._warn("form.id", None, f"the form has no id that can be used here; it is called {form['id']}")
        for key, otherwise in (
            ("url", f"urn:persona-forge:form:{form['id']}"),
            ("version", "0"),
            ("title", str(self._raw.get("name") or form["id"])),
            ("status", "unknown"),
        ):
            if not isinstance(form.get(key), str) or not form[key]:
                form[key] = otherwise
                self._warn(f"form.{key}", None, f"the form has no {key}; taken as {otherwise}")
        form.setdefault("language", "en")

    def _item(self, raw: Json, depth: int) -> Json:
        self._items += 1
        if depth > DEEPEST or self._items > MOST_ITEMS:
            raise FormInvalidError(f"{self._name} has more than {MOST_ITEMS} items or {DEEPEST} levels")
        link_id = raw.get("linkId")
        if not isinstance(link_id, str) or not link_id:
            text = f"an item on level {depth} after {self._items - 1} others"
            raise FormInvalidError(f"{self._name}: {text} has no linkId")
        item = self._known(raw, _ITEM_KEYS, _ITEM_PAPERS, link_id)
        item["code"] = self._codes(raw.get("code"), link_id)
        item["extension"] = self._extensions(raw.get("extension"), link_id)
        self._element(item, "_text", link_id)
        if item.get("type") == "display" and raw.get("item"):
            item["type"] = "group"
            self._warn("display.with-items", link_id, "a text to read out has items below it; taken as a group")
        if item.get("type") in ("attachment", "reference"):
            self._warn("item.not-asked", link_id, f"a question of type {item['type']} is not asked here")
        self._options(item, raw, link_id)
        self._conditions(item, raw, link_id)
        if item.get("initial") is not None:
            item["initial"] = [self._initial(one, link_id) for one in _objects(item["initial"], self._name)]
            item["initial"] = [one for one in item["initial"] if one]
        if item.get("type") == "display":
            for key in ("required", "repeats", "initial", "readOnly", "maxLength"):
                if item.pop(key, None):
                    self._warn("item.ignored", link_id, f"{key} has no meaning on a text to read out")
        item["item"] = [self._item(one, depth + 1) for one in _objects(raw.get("item"), self._name)]
        if item.get("type") == "group" and not item["item"]:
            self._warn("group.empty", link_id, "a group without items asks nothing")
        return {key: value for key, value in item.items() if value not in ([], None)}

    def _known(self, raw: Json, keys: frozenset[str], papers: frozenset[str], link_id: str | None) -> Json:
        for key in sorted(raw.keys() - keys - papers):
            if not key.startswith("_") and key != "fhir_comments":
                self._warn("element.unknown", link_id, f"{key[:64]} is not part of FHIR R4's Questionnaire; left out")
            elif self._translated(raw[key]):
                self._warn("translation.left-out", link_id, f"translations of {key[1:65]} are not kept")
        return {key: raw[key] for key in raw.keys() & keys}

    def _translated(self, element: object) -> bool:
        return isinstance(element, dict) and "StructureDefinition/translation" in json.dumps(element)[:100_000]

    def _element(self, holder: Json, key: str, link_id: str | None) -> None:
        """Keep what stands beside a text: its translations."""
        element = holder.pop(key, None)
        if isinstance(element, dict) and (kept := self._extensions(element.get("extension"), link_id, place="text")):
            holder[key] = {"extension": kept}

    def _codes(self, raw: object, link_id: str | None) -> list[Json]:
        codes = []
        for one in _objects(raw, self._name):
            if one.get("system") == loinc.SYSTEM and not loinc.is_valid(str(one.get("code", ""))):
                self._warn("code.loinc", link_id, "a LOINC code has a wrong check digit; left out")
            else:
                codes.append(self._coding(one, link_id))
        return codes

    def _coding(self, raw: Json, link_id: str | None) -> Json:
        coding = {key: raw[key] for key in raw.keys() & _CODING_KEYS}
        coding["extension"] = self._extensions(raw.get("extension"), link_id)
        self._element(coding, "_display", link_id)
        return {key: value for key, value in coding.items() if value not in ([], None)}

    def _extensions(self, raw: object, link_id: str | None, *, place: str = "extension") -> list[Json]:
        kept = []
        for one in _objects(raw, self._name):
            url = one.get("url")
            if not isinstance(url, str):
                self._warn("extension.unnamed", link_id, "an extension has no url; left out")
            elif url in UNDERSTOOD:
                kept += self._understood(one, url, link_id)
            elif not url.startswith(_SILENT):
                tail = url.rsplit("/", 1)[-1][:80]
                code = "text.dynamic" if place == "text" and "xpression" in url else "extension.left-out"
                self._warn(code, link_id, f"{tail} is not done here; left out")
        return kept

    def _understood(self, raw: Json, url: str, link_id: str | None) -> list[Json]:
        one = _extension(raw)
        if one.keys() == {"url"}:
            self._warn("extension.left-out", link_id, f"{url.rsplit('/', 1)[-1]} has no value known here; left out")
            return []
        expression = one.get("valueExpression")
        if isinstance(expression, dict):
            if expression.get("language", "text/fhirpath") != "text/fhirpath":
                self._warn("expression.language", link_id, f"{url.rsplit('/', 1)[-1]} is not FHIRPath; left out")
                return []
            if not isinstance(expression.get("expression"), str):
                self._warn("expression.reference", link_id, f"{url.rsplit('/', 1)[-1]} has no expression; left out")
                return []
        return [one]

    def _options(self, item: Json, raw: Json, link_id: str) -> None:
        options = [self._option(one, link_id) for one in _objects(raw.get("answerOption"), self._name)]
        value_set = item.get("answerValueSet")
        if item.get("type") not in ("choice", "open-choice"):
            if options or value_set:
                self._warn("options.ignored", link_id, "options belong to a choice; they are left out")
            item.pop("answerValueSet", None)
            item["answerOption"] = []
            return
        if isinstance(value_set, str) and not options:
            options = self._from_value_set(value_set, link_id)
        elif value_set is not None:
            self._warn("value-set.ignored", link_id, "a choice has options or a value set; its options are taken")
        if options or not isinstance(value_set, str):
            item.pop("answerValueSet", None)
        item["answerOption"] = options

    def _option(self, raw: Json, link_id: str) -> Json:
        if "valueReference" in raw:
            self._warn("option.reference", link_id, "an option that is a reference is shown as its words")
            shown = raw["valueReference"] if isinstance(raw["valueReference"], dict) else {}
            return {"valueString": str(shown.get("display") or shown.get("reference") or "")}
        option = {key: raw[key] for key in raw.keys() & _OPTION_KEYS}
        option["extension"] = self._extensions(raw.get("extension"), link_id)
        if isinstance(option.get("valueCoding"), dict):
            option["valueCoding"] = self._coding(option["valueCoding"], link_id)
        return {key: value for key, value in option.items() if value not in ([], None)}

    def _from_value_set(self, reference: str, link_id: str) -> list[Json]:
        if reference.startswith("#"):
            found = next(
                (one for one in _objects(self._raw.get("contained"), self._name) if one.get("id") == reference[1:]),
                None,
            )
            if found is None:
                raise FormInvalidError(f"{self._name}: item {link_id} names a contained value set that is not there")
        else:
            found = self._value_sets().get(reference.split("|", 1)[0])
        options = [self._option(one, link_id) for one in _concepts(found)] if found is not None else []
        if not options:
            code = "value-set.external" if found is None else "value-set.empty"
            self._warn(
                code, link_id, "the options are in a value set that is not here; the answer is taken in free words"
            )
        return options

    def _value_sets(self) -> dict[str, Json]:
        """Return the value sets that the form contains or that lie in its folder, by address."""
        if self._named is None:
            lying: list[Json] = []
            if self._folder is not None:
                lying = _contents(sorted(self._folder.glob("*.json"))[:MOST_VALUE_SETS])
            all_known = [*lying, *_objects(self._raw.get("contained"), self._name)]
            self._named = {
                one["url"]: one
                for one in all_known
                if one.get("resourceType") == "ValueSet" and isinstance(one.get("url"), str)
            }
        return self._named

    def _conditions(self, item: Json, raw: Json, link_id: str) -> None:
        conditions = []
        for one in _objects(raw.get("enableWhen"), self._name):
            condition = {key: one[key] for key in one.keys() & _CONDITION_KEYS}
            if one.get("extension"):
                self._warn("extension.left-out", link_id, "an extension of a condition is not done here; left out")
            if isinstance(condition.get("answerCoding"), dict):
                condition["answerCoding"] = self._coding(condition["answerCoding"], link_id)
            if isinstance(condition.get("answerQuantity"), dict):
                condition["answerQuantity"] = _quantity(condition["answerQuantity"])
            conditions.append(condition)
        item["enableWhen"] = conditions
        if len(conditions) > 1 and "enableBehavior" not in item:
            self._warn("enable-when.behaviour", link_id, "it is not said whether all or any must hold; taken as all")

    def _initial(self, raw: Json, link_id: str) -> Json:
        initial = {key: raw[key] for key in raw.keys() & _INITIAL_KEYS}
        if not initial:
            self._warn("initial.left-out", link_id, "an initial value of a kind that is not asked here is left out")
        if isinstance(initial.get("valueCoding"), dict):
            initial["valueCoding"] = self._coding(initial["valueCoding"], link_id)
        if isinstance(initial.get("valueQuantity"), dict):
            initial["valueQuantity"] = _quantity(initial["valueQuantity"])
        return initial


def _objects(raw: object, name: str) -> list[Json]:
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise FormInvalidError(f"{name}: a list of objects is needed where something else stands")
    return raw


def _quantity(raw: Mapping[str, Any]) -> Json:
    return {key: raw[key] for key in raw.keys() & {"value", "unit", "system", "code"}}


def _extension(raw: Json) -> Json:
    """Return an extension with the values and parts that are understood."""
    one = {key: raw[key] for key in raw.keys() & _EXTENSION_KEYS}
    for key in ("valueExpression", "valueCoding", "valueQuantity"):
        if isinstance(one.get(key), dict):
            keep = {"language", "expression", "name", "description", "system", "code", "display", "value", "unit"}
            one[key] = {name: value for name, value in one[key].items() if name in keep}
    parts = [_extension(part) for part in _dicts(raw.get("extension")) if isinstance(part.get("url"), str)]
    return {**one, "extension": parts} if parts else one


def _concepts(value_set: Json) -> list[Json]:
    """Return a value set's concepts as answer options: what it was expanded to, or what it lists."""
    expanded = _flat(_dict(value_set.get("expansion")).get("contains"), 0)
    if expanded:
        return [{"valueCoding": one} for one in expanded if one.get("code")]
    return [
        {"valueCoding": {"system": part.get("system"), **concept}}
        for part in _dicts(_dict(value_set.get("compose")).get("include"))
        for concept in _dicts(part.get("concept"))
    ]


def _flat(contains: object, depth: int) -> list[Json]:
    found = []
    for one in _dicts(contains) if depth < DEEPEST else []:
        if not one.get("abstract"):
            found.append({key: value for key, value in one.items() if key != "contains"})
        found += _flat(one.get("contains"), depth + 1)
    return found


def _dict(raw: object) -> Json:
    return raw if isinstance(raw, dict) else {}


def _dicts(raw: object) -> list[Json]:
    return [one for one in raw if isinstance(one, dict)] if isinstance(raw, list) else []


def _contents(paths: Iterable[Path]) -> list[Json]:
    """Return the objects in files, leaving out those that cannot be read or are too large to be a value set."""
    found = []
    for path in paths:
        try:
            if path.stat().st_size > LARGEST_VALUE_SET_BYTES:
                continue
            content = json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            continue  # what is not a value set is none of this form's business
        if isinstance(content, dict):
            found.append(content)
    return found
