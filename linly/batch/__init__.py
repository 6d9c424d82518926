"""Lectures: scripts and decks in, finished videos out, at any length, unattended.

`run.batch` is the road: sources are read (readers), planned as units of one sentence (plan), each unit becomes a
segment file that is named by its content (segment), and the segments of a talk are joined (join). The journal says what
happened; what is done is known from the files, so a run that was killed goes on where it was.
"""
