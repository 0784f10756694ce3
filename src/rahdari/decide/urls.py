from django.urls import path

from . import (
    file_hold_views,
    grants_views,
    note_views,
    paper_views,
    revocation_views,
    search_views,
    unreached_address_views,
    views,
)
from .case_access import asks_why

app_name = "decide"
urlpatterns = [
    path("desk/", views.queue, name="queue"),
    path("desk/approvals/", views.approvals, name="approvals"),
    path("desk/grants/", grants_views.grants, name="grants"),
    path("desk/unreached/", unreached_address_views.unreached, name="unreached"),
    path("desk/keys/", views.turn_keys, name="keys"),
    path("desk/views/", views.save_view, name="save_view"),
    path("desk/next/", views.take_next, name="take_next"),
    path("desk/cases/<str:reference>/", asks_why(views.case), name="case"),
    path("desk/cases/<str:reference>/why/", views.why, name="why"),
    path("desk/cases/<str:reference>/search/", asks_why(search_views.search_from_case), name="search_from_case"),
    path("desk/cases/<str:reference>/take/", asks_why(views.take), name="take"),
    path("desk/cases/<str:reference>/pass/", asks_why(views.hand_over), name="hand_over"),
    path("desk/cases/<str:reference>/recuse/", asks_why(views.recuse), name="recuse"),
    path("desk/cases/<str:reference>/decide/", asks_why(views.decide), name="decide"),
    path("desk/cases/<str:reference>/second/", asks_why(views.second), name="second"),
    path("desk/cases/<str:reference>/drop/", asks_why(views.drop), name="drop"),
    path("desk/cases/<str:reference>/contact/", asks_why(views.contact), name="contact"),
    path("desk/cases/<str:reference>/addresses/", asks_why(views.addresses), name="addresses"),
    path("desk/cases/<str:reference>/addresses/table/", asks_why(views.addresses_table), name="addresses_table"),
    path("desk/cases/<str:reference>/addresses/record/", asks_why(views.record_checks), name="record_checks"),
    path("desk/cases/<str:reference>/addresses/<uuid:endpoint>/", asks_why(views.address), name="address"),
    path("desk/cases/<str:reference>/checks/", asks_why(views.record_several), name="record_several"),
    path("desk/cases/<str:reference>/checks/<uuid:check>/", asks_why(views.record_check), name="record_check"),
    path("desk/cases/<str:reference>/documents/<uuid:document>/", asks_why(paper_views.document), name="document"),
    path("desk/cases/<str:reference>/network/", asks_why(unreached_address_views.name_network), name="name_network"),
    path("desk/cases/<str:reference>/operators/", asks_why(unreached_address_views.ask_operator), name="ask_operator"),
    path("desk/cases/<str:reference>/revoke/", asks_why(revocation_views.revoke), name="revoke"),
    path("desk/cases/<str:reference>/note/", asks_why(note_views.note), name="note"),
    path("desk/cases/<str:reference>/hold/", asks_why(file_hold_views.hold), name="hold"),
]
