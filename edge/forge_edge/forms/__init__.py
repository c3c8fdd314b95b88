"""Speaks a questionnaire, repairs what was misheard, confirms every answer."""
