from django.urls import path

from . import certificate, check, compared, connections, eligible, keeping, pages, rules, still_right, versions

urlpatterns = [
    path("", pages.start, name="start"),
    path("eligible/", eligible.eligible, name="eligible"),
    path("eligible/poster/", eligible.poster, name="eligible_poster"),
    path("check/", check.number, name="check_number"),
    path("c/<str:reference>/<str:token>/", check.certificate_link, name="certificate_link"),
    path("my/registrations/<str:reference>/certificate/", certificate.certificate, name="certificate"),
    path("my/registrations/<str:reference>/certificate.pdf", certificate.pdf, name="certificate_pdf"),
    path("still-right/<str:reference>/<str:token>/", still_right.answer, name="still_right"),
    path("status/", pages.service_status, name="service_status"),
    path("status/connections/", connections.connections, name="connections"),
    path("status/connections/rss.xml", connections.rss, name="connections_rss"),
    path("status/connections/days.csv", connections.days_csv, name="connections_csv"),
    path("status/connections/operators.csv", keeping.operators_csv, name="connections_operators"),
    path("status/connections/difference.json", compared.difference_json, name="connections_difference"),
    path("status/connections/api/v2/summary.json", connections.summary, name="connections_json"),
    path("help/", pages.help_and_contact, name="help"),
    path("privacy/", pages.privacy, name="privacy"),
    path("accessibility/", pages.accessibility, name="accessibility"),
    path("terms/", pages.terms, name="terms"),
    path("terms/feed/", pages.feed_terms, name="feed_terms"),
    path("terms/feed/terms.txt", pages.feed_terms_text, name="feed_terms_text"),
    path("rules/", rules.rules, name="rules"),
    path("rules/policy.toml", versions.in_force, name="rules_text"),
    path("rules/announced/", versions.announced, name="rules_announced"),
    path("rules/versions.json", versions.events, name="rules_versions"),
    path("rules/versions/<str:digest>.toml", versions.version, name="rules_version"),
    path("evidence-key.pem", pages.evidence_key, name="evidence_key"),
    path("source/", pages.source, name="source"),
]
