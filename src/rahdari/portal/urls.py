from django.urls import include, path

from .applicant.urls import urlpatterns as applicant
from .operators.urls import urlpatterns as operator
from .public.consultation_urls import urlpatterns as consultations
from .public.urls import urlpatterns as public
from .staff.urls import urlpatterns as staff

app_name = "portal"

urlpatterns = [
    path("", include(public)),
    path("", include(consultations)),
    path("", include(applicant)),
    path("", include(operator)),
    path("", include(staff)),
]
