from django.urls import URLPattern, path

from .step_forms import PAGES
from .views import addresses, eligibility, file_pages, held_people, steps, uploads

app_name = "apply"

DRAFT = "my/applications/<str:reference>"

urlpatterns: list[URLPattern] = [
    path("metrics/held", held_people.metrics_page, name="metrics"),
    path("apply/", eligibility.start, name="start"),
    path("apply/ready/", eligibility.ready, name="ready"),
    path("apply/instead/", eligibility.instead, name="instead"),
    path("apply/begin/", eligibility.begin, name="begin"),
    path(f"{DRAFT}/about-you/", steps.about, name="about"),
    path(f"{DRAFT}/person/", steps.person, name="person"),
    path(f"{DRAFT}/company/", steps.company, name="company"),
    path(f"{DRAFT}/contact/", steps.contact, name="contact"),
    path(f"{DRAFT}/purpose/", steps.purpose, name="purpose"),
    path(f"{DRAFT}/evidence/", steps.evidence, name="evidence"),
    *(
        path(f"{DRAFT}/evidence/{page.slug}/", steps.evidence_page, {"wants": wants}, name=f"evidence_{page.slug}")
        for wants, page in PAGES.items()
    ),
    path(f"{DRAFT}/evidence/association/", steps.association, name="association"),
    path(f"{DRAFT}/addresses/", addresses.addresses, name="addresses"),
    path(f"{DRAFT}/addresses/add/", addresses.add, name="add_address"),
    path(f"{DRAFT}/addresses/many/", file_pages.add_many, name="add_many"),
    path(f"{DRAFT}/addresses/many/sample/", file_pages.sample, name="address_sample"),
    path(f"{DRAFT}/addresses/many/<uuid:id>/", file_pages.result, name="address_file"),
    path(f"{DRAFT}/addresses/many/<uuid:id>/corrected/", file_pages.corrected, name="corrected_addresses"),
    path(f"{DRAFT}/addresses/<uuid:id>/", addresses.change, name="change_address"),
    path(f"{DRAFT}/addresses/<uuid:id>/remove/", addresses.remove, name="remove_address"),
    path(f"{DRAFT}/documents/", uploads.documents, name="documents"),
    path(f"{DRAFT}/documents/<slug:rule>/", uploads.upload, name="upload"),
    path(f"{DRAFT}/files/<uuid:id>/", uploads.look, name="document"),
    path(f"{DRAFT}/files/<uuid:id>/remove/", uploads.remove, name="remove_document"),
]
