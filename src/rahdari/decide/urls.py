from django.urls import path

from . import views

app_name = "decide"
urlpatterns = [
    path("desk/", views.queue, name="queue"),
    path("desk/approvals/", views.approvals, name="approvals"),
    path("desk/keys/", views.turn_keys, name="keys"),
    path("desk/cases/<str:reference>/", views.asks_why(views.case), name="case"),
    path("desk/cases/<str:reference>/why/", views.why, name="why"),
    path("desk/cases/<str:reference>/take/", views.asks_why(views.take), name="take"),
    path("desk/cases/<str:reference>/pass/", views.asks_why(views.hand_over), name="hand_over"),
    path("desk/cases/<str:reference>/decide/", views.asks_why(views.decide), name="decide"),
    path("desk/cases/<str:reference>/second/", views.asks_why(views.second), name="second"),
    path("desk/cases/<str:reference>/drop/", views.asks_why(views.drop), name="drop"),
    path("desk/cases/<str:reference>/contact/", views.asks_why(views.contact), name="contact"),
    path("desk/cases/<str:reference>/addresses/", views.asks_why(views.addresses), name="addresses"),
    path("desk/cases/<str:reference>/addresses/table/", views.asks_why(views.addresses_table), name="addresses_table"),
    path("desk/cases/<str:reference>/addresses/record/", views.asks_why(views.record_checks), name="record_checks"),
    path("desk/cases/<str:reference>/addresses/<uuid:endpoint>/", views.asks_why(views.address), name="address"),
    path("desk/cases/<str:reference>/checks/<uuid:check>/", views.asks_why(views.record_check), name="record_check"),
    path("desk/cases/<str:reference>/documents/<uuid:document>/", views.asks_why(views.document), name="document"),
]
