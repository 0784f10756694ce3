from django.urls import path

from . import recording, views

app_name = "appeal"

urlpatterns = [
    path("desk/appeals/", views.appeals, name="appeals"),
    path("desk/appeals/<str:reference>/", views.appeal, name="appeal"),
    path("desk/appeals/<str:reference>/take/", views.take, name="take"),
    path("desk/appeals/<str:reference>/hearing/", views.hear, name="hear"),
    path("desk/appeals/<str:reference>/decide/", views.decide, name="decide"),
    path("desk/appeals/<str:reference>/too-late/", views.refuse_late, name="refuse_late"),
    path("desk/appeals/<str:reference>/reviewer/", views.name_reviewer, name="name_reviewer"),
    path("desk/appeals/<str:reference>/documents/<uuid:document>/", views.paper, name="paper"),
    path("desk/cases/<str:reference>/appeal/", recording.written, name="written"),
    path("desk/cases/<str:reference>/served/", recording.served, name="served"),
]
