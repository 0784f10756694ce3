from django.urls import path

from . import consultation_speaking, consultations

urlpatterns = [
    path("consultations/", consultations.consultations, name="consultations"),
    path("consultations/feed.xml", consultations.feed, name="consultations_feed"),
    path("consultations/bodies/<uuid:body>/<str:token>/", consultation_speaking.body, name="body"),
    path("consultations/<str:reference>/", consultations.consultation, name="consultation"),
    path("consultations/<str:reference>/policy.toml", consultations.policy_text, name="consultation_policy"),
    path(
        "consultations/<str:reference>/annotations.jsonld",
        consultations.annotations_jsonld,
        name="consultation_annotations",
    ),
    path("consultations/<str:reference>/comments/", consultations.comments, name="consultation_comments"),
    path("consultations/<str:reference>/comments/<int:number>/", consultations.comment, name="consultation_comment"),
    path("consultations/<str:reference>/comments/<int:number>/name/", consultation_speaking.claim, name="claim_name"),
    path("consultations/<str:reference>/answers/", consultations.answers, name="consultation_answers"),
    path("consultations/<str:reference>/moderation/", consultations.moderation, name="consultation_moderation"),
    path(
        "consultations/<str:reference>/moderation.csv", consultations.moderation_csv, name="consultation_moderation_csv"
    ),
    path(
        "consultations/<str:reference>/hidden/<uuid:comment>/<str:token>/",
        consultation_speaking.dispute,
        name="dispute_comment",
    ),
    path("consultations/<str:reference>/say/", consultation_speaking.say, name="say"),
    path("consultations/<str:reference>/say/<uuid:body>/<str:token>/", consultation_speaking.say_for, name="say_for"),
    path("consultations/<str:reference>/say/<uuid:comment>/", consultation_speaking.prove, name="prove_comment"),
]
