"""The personas that users made for themselves, beside the samples: each in a folder of its own, with its documents."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import fields, replace
from pathlib import Path

from linly.chat import persona as personas
from linly.chat.knowledge import Knowledge
from linly.chat.memory_values import whole
from linly.chat.persona import Persona
from linly.errors import InputError
from linly.files import replacing, why

FILE, DOCUMENTS = "persona.toml", "documents"
LONGEST = {"name": 60, "role": 300, "manner": 300, "greeting": 500, "voice": 200, "portrait": 200}
"""characters"""
FACTS, FACT = 30, 300
"""facts, and characters of one"""
MOST = 50
"""personas of one user"""


class Cast:
    """Users' personas below `root`. A user is a secret text; nothing of it can be read from the folders' names."""

    def __init__(self, root: Path) -> None:
        self._root = Path(root)

    def names(self, user: str) -> list[str]:
        """The user's own, by name."""
        if not user:
            return []
        found = []
        for file in self._home(user).glob(f"*/{FILE}"):
            try:
                found.append(personas.load(file).name)
            except InputError:  # changed by hand: left alone
                continue
        return sorted(found)

    def load(self, user: str, name: str) -> Persona:
        """The user's own persona of this name, else a sample by its file's name. Raises InputError."""
        own = self._folder(user, name) / FILE if user else None
        if own and own.is_file():
            documents = own.parent / DOCUMENTS
            return replace(personas.load(own), knowledge=str(documents) if documents.is_dir() else "")
        if name not in personas.samples():
            raise InputError(f"There is no persona {name!r}: choose one of the list.")
        return personas.load(name)

    def knowledge(self, user: str, name: str) -> Knowledge | None:
        """The documents of a persona; None if it has no folder of them."""
        folder = self.load(user, name).knowledge
        return Knowledge(Path(folder)) if folder else None

    def save(self, user: str, persona: Persona) -> str:
        """Keep it, over one of the same name; the name. Its documents stay. Raises InputError."""
        if not user:
            raise InputError("This browser keeps no name for you, so no persona can be saved: allow it site data.")
        clean = _checked(persona)
        folder = self._folder(user, clean.name)
        if not folder.is_dir() and len(self.names(user)) >= MOST:
            raise InputError(f"There are {MOST} personas already: remove one first.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise why(folder / FILE, error) from error
        with replacing(folder / FILE) as part:
            part.write_text(_toml(clean), encoding="utf-8")
        return clean.name

    def remove(self, user: str, name: str) -> None:
        """With its documents. Raises InputError for one that is not the user's own."""
        if not user or not (self._folder(user, name) / FILE).is_file():
            raise InputError("Only a persona of your own can be removed.")
        shutil.rmtree(self._folder(user, name))

    def put(self, user: str, name: str, file: Path) -> str:
        """Give a persona of the user's own a document; its name there. Raises InputError for one that is none."""
        if not user or not (self._folder(user, name) / FILE).is_file():
            raise InputError("Save the persona first: documents belong to one of your own.")
        return Knowledge(self._folder(user, name) / DOCUMENTS).put(file)

    def take_out(self, user: str, name: str, document: str) -> None:
        """Remove a document. Raises InputError."""
        if not user:
            raise InputError("Only a persona of your own has documents that can be removed.")
        Knowledge(self._folder(user, name) / DOCUMENTS).remove(document)

    def erase(self, user: str) -> None:
        """Remove everything of a user."""
        if user:
            shutil.rmtree(self._home(user), ignore_errors=True)

    def _home(self, user: str) -> Path:
        return self._root / _digest(user)

    def _folder(self, user: str, name: str) -> Path:
        return self._home(user) / _digest(name.strip())[:32]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _checked(persona: Persona) -> Persona:
    """As it can be kept. Raises InputError."""
    texts = {name: whole(str(getattr(persona, name))) for name in LONGEST}
    if not texts["name"]:
        raise InputError("A persona needs a name.")
    for name, text in texts.items():
        if len(text) > LONGEST[name]:
            raise InputError(f"The persona's {name} is too long: at most {LONGEST[name]} characters.")
    facts = tuple(fact for fact in map(whole, persona.facts) if fact)
    if len(facts) > FACTS or any(len(fact) > FACT for fact in facts):
        raise InputError(f"A persona has at most {FACTS} facts of at most {FACT} characters: put more into a document.")
    language = persona.language if persona.language.isalpha() and len(persona.language) <= 8 else "auto"
    return Persona(**texts, language=language, facts=facts)


def _toml(persona: Persona) -> str:
    """As persona.load reads it. TOML's strings are JSON's, but for one character."""

    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

    lines = []
    for one in fields(persona):
        value = getattr(persona, one.name)
        shown = f"[{', '.join(map(quoted, value))}]" if one.name == "facts" else quoted(value)
        lines += [f"{one.name} = {shown}"] if one.name != "knowledge" else []
    return "\n".join([*lines, ""])
