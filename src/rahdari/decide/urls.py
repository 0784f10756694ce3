from django.urls import path

from . import views

app_name = "decide"
urlpatterns = [
    path("desk/", views.queue, name="queue"),
    path("desk/approvals/", views.approvals, name="approvals"),
    path("desk/keys/", views.turn_keys, name="keys"),
    path("desk/cases/<str:reference>/", views.case, name="case"),
    path("desk/cases/<str:reference>/take/", views.take, name="take"),
    path("desk/cases/<str:reference>/pass/", views.hand_over, name="hand_over"),
    path("desk/cases/<str:reference>/decide/", views.decide, name="decide"),
    path("desk/cases/<str:reference>/second/", views.second, name="second"),
    path("desk/cases/<str:reference>/drop/", views.drop, name="drop"),
    path("desk/cases/<str:reference>/contact/", views.contact, name="contact"),
    path("desk/cases/<str:reference>/addresses/", views.addresses, name="addresses"),
    path("desk/cases/<str:reference>/addresses/table/", views.addresses_table, name="addresses_table"),
    path("desk/cases/<str:reference>/addresses/record/", views.record_checks, name="record_checks"),
    path("desk/cases/<str:reference>/addresses/<uuid:endpoint>/", views.address, name="address"),
    path("desk/cases/<str:reference>/checks/<uuid:check>/", views.record_check, name="record_check"),
    path("desk/cases/<str:reference>/documents/<uuid:document>/", views.document, name="document"),
]
