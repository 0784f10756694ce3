from django.urls import path

from . import views

app_name = "licensees"
urlpatterns = [
    path("providers/", views.providers, name="providers"),
    path("providers/rss.xml", views.rss, name="rss"),
    path("providers/data/<str:name>", views.data, name="data"),
    path("providers/<slug:key>/", views.provider, name="provider"),
]
