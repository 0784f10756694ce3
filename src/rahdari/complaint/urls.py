from django.urls import path

from . import sending, views

app_name = "complaint"

urlpatterns = [
    path("complaints/address/", sending.correction, name="correction"),
    path("complaints/misuse/", sending.misuse, name="misuse"),
    path("complaints/<str:receipt>/confirm/<str:token>/", sending.confirm, name="confirm"),
    path("complaints/<str:receipt>/files/<str:token>/", sending.files, name="files"),
    path("complaints/<str:receipt>/<str:token>/", sending.receipt, name="receipt"),
    path("desk/complaints/", views.complaints, name="complaints"),
    path("desk/complaints/<str:reference>/", views.complaint, name="complaint"),
    path("desk/complaints/<str:reference>/files/<uuid:document>/", views.paper, name="paper"),
    path("desk/complaints/<str:reference>/holder/", views.ask_holder, name="ask_holder"),
    path("desk/complaints/<str:reference>/reviewer/", views.name_reviewer, name="name_reviewer"),
    path("desk/complaints/<str:reference>/contest/", views.contest, name="contest"),
    path("desk/complaints/<str:reference>/decide/", views.decide, name="decide"),
]
