from django.urls import URLPattern

app_name = "publish"

urlpatterns: list[URLPattern] = []
