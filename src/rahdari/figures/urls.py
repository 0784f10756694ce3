from django.urls import path

from . import views

app_name = "figures"
urlpatterns = [
    path("figures/", views.figures, name="figures"),
    path("figures/definitions/", views.definitions, name="definitions"),
    path("figures/rss.xml", views.rss, name="rss"),
    path("figures/data/<str:name>", views.data, name="data"),
    path("figures/<slug:name>/", views.month, name="month"),
]
