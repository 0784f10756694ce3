from django.urls import path

from . import attestations, feed, letters, proofs

urlpatterns = [
    path("desk/feed/", feed.feed, name="feed"),
    path("desk/feed/holds/<uuid:hold>/", feed.decide_hold, name="hold"),
    path("desk/proofs/", proofs.proofs_in_vain, name="proofs_in_vain"),
    path("desk/attestations/", attestations.matters, name="matters"),
    path("desk/attestations/<str:number>/", attestations.matter, name="matter"),
    path("desk/letters/", letters.letter_previews, name="letter_previews"),
    path("desk/letters/<slug:template>/", letters.letter_preview, name="letter_preview"),
]
