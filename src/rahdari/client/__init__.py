"""`rahdari my`: an applicant's side of the API, for a terminal. No Django; ships with the light installation."""
