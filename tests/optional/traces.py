"""By what a reader would know of a room that is left out."""

# In the words of a page, in either language.
ON_PAGES = {
    "remote": r"work from home|from home\b|remote.staff|گھر سے",
}
# In the names of the workflow's steps.
STEPS = {"remote": r"^remote"}
# In the contracts of both interfaces.
IN_CONTRACTS = {"remote": r"remote.staff|remote:manage|RemoteStaff|HomeLine|remote\.\w+"}
