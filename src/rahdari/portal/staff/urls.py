from django.urls import path

from rahdari import optional

from . import consultations, entered, feed, flow, invitations, letters, proofs

urlpatterns = [
    path("desk/feed/", feed.feed, name="feed"),
    path("desk/feed/holds/<uuid:hold>/", feed.decide_hold, name="hold"),
    path("desk/proofs/", proofs.proofs_in_vain, name="proofs_in_vain"),
    path("desk/entered/", entered.entries, name="desk_entries"),
    path("desk/entered/<uuid:id>/drop/", entered.drop, name="drop_entry"),
    path("desk/flow/", flow.numbers, name="flow"),
    path("desk/flow/questions/<slug:code>/", flow.cases_asked, name="cases_asked"),
    path("desk/flow/ended/<slug:how>/", flow.cases_ended, name="cases_ended"),
    *(each for added in optional.given(__package__, "urlpatterns") for each in added),
    path("desk/consultations/", consultations.drafts, name="desk_drafts"),
    path("desk/consultations/<str:reference>/", consultations.draft, name="desk_draft"),
    path("desk/consultations/<str:reference>/version/", consultations.publish_version, name="publish_version"),
    path("desk/consultations/<str:reference>/answer/", consultations.answer_comments, name="answer_comments"),
    path("desk/consultations/<str:reference>/hide/", consultations.hide_comment, name="hide_comment"),
    path("desk/consultations/<str:reference>/group/", consultations.take_out_comment, name="take_out_comment"),
    path("desk/consultations/<str:reference>/name/", consultations.decide_name, name="decide_name"),
    path("desk/consultations/<str:reference>/review/", consultations.review_comment, name="review_comment"),
    path("desk/consultations/<str:reference>/hearing/", consultations.announce_hearing, name="announce_hearing"),
    path("desk/consultations/<str:reference>/hearing-off/", consultations.call_off_hearing, name="call_off_hearing"),
    path("desk/consultations/<str:reference>/minutes/", consultations.add_minutes, name="add_minutes"),
    path("desk/consultations/<str:reference>/adopt/", consultations.adopt, name="adopt_draft"),
    path("desk/consultations/<str:reference>/withdraw/", consultations.withdraw, name="withdraw_draft"),
    path("desk/invitations/", invitations.desk_invitations, name="desk_invitations"),
    path("desk/invitations/<uuid:id>/withdraw/", invitations.withdraw_invitation, name="withdraw_invitation"),
    path("desk/letters/", letters.letter_previews, name="letter_previews"),
    path("desk/letters/<slug:template>/", letters.letter_preview, name="letter_preview"),
]
