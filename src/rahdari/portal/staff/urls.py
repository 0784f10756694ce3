from django.urls import path

from rahdari import optional

from . import feed, letters, proofs

urlpatterns = [
    path("desk/feed/", feed.feed, name="feed"),
    path("desk/feed/holds/<uuid:hold>/", feed.decide_hold, name="hold"),
    path("desk/proofs/", proofs.proofs_in_vain, name="proofs_in_vain"),
    *(each for added in optional.given(__package__, "urlpatterns") for each in added),
    path("desk/letters/", letters.letter_previews, name="letter_previews"),
    path("desk/letters/<slug:template>/", letters.letter_preview, name="letter_preview"),
]
