from django.urls import path

from . import feed

urlpatterns = [
    path("desk/feed/", feed.feed, name="feed"),
    path("desk/feed/holds/<uuid:hold>/", feed.decide_hold, name="hold"),
]
