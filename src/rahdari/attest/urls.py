from django.urls import path

from . import member_pages, revoke_pages, views

app_name = "attest"

urlpatterns = [
    path("association/", views.members, name="members"),
    path("association/members/list/", views.own_list, name="own_list"),
    path("association/members/new/", views.add, name="add"),
    path("association/members/<str:number>/", views.attestation, name="attestation"),
    path("association/members/<str:number>/revoke/", views.revoke, name="revoke"),
    path("association/members/<str:number>/give-back/", views.give_back, name="give_back"),
    path("association/asked/<uuid:id>/", views.asked, name="asked"),
    path("association/asked/<uuid:id>/undo/", views.take_answer_back, name="take_answer_back"),
    path("association/lists/", views.upload, name="upload"),
    path("association/lists/<uuid:id>/", views.file, name="file"),
    path("association/lists/<uuid:id>/to-correct/", views.corrected, name="corrected"),
    path("association/revocations/", revoke_pages.revoke_many, name="revoke_many"),
    path("association/revocations/<uuid:id>/", revoke_pages.revocations, name="revocations"),
    path("association/revocations/<uuid:id>/to-correct/", revoke_pages.corrected, name="corrected_revocations"),
    path("association/disputes/<str:number>/", views.reply, name="reply"),
    path("attestations/", member_pages.mine, name="mine"),
    path("attestations/<str:number>/", member_pages.theirs, name="theirs"),
]
