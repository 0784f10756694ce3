from django.apps import AppConfig


class ApplicantConfig(AppConfig):
    name = "rahdari.applicant"
    label = "applicant"
