"""The errors that a user may see. Raise one of these with one clear sentence: what is wrong, and what to do."""

from __future__ import annotations


class LinlyError(Exception):
    """Base of every error whose message is meant for the user. The command line exits 1, the page shows a toast."""

    exit_code = 1


class InputError(LinlyError):
    """What the user gave cannot be used (text, file, name, number). The command line exits 2."""

    exit_code = 2


class EngineUnavailable(LinlyError):
    """An engine lacks a package or a model file; the message names it, its size, licence and how to get it."""


class EngineFailed(LinlyError):
    """An engine was ready and failed at work (out of memory, broken model); the message says which and on what."""


class Cancelled(LinlyError):
    """The user stopped the work. Nothing half-made is left behind."""

    exit_code = 130
