"""Text for speech: language, sentences, numbers, phonemes. Shared by the rooms that need words as sound."""
