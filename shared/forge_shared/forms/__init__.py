"""Clinical forms: a subset of FHIR R4 Questionnaire, LOINC codes, and pure scoring."""
