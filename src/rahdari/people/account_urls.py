"""Addresses of signing in, under the names that allauth looks for. Its pages that we do not use have none."""

from allauth.account import views as account_views
from allauth.mfa.base import views as factor_views
from allauth.mfa.recovery_codes import views as recovery_views
from allauth.mfa.totp import views as app_views
from allauth.mfa.webauthn import views as passkey_views
from django.urls import path
from django.views.generic import RedirectView

from . import views

urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="account_login"),
    path("sign-in/", views.SignInView.as_view(), name="account_request_login_code"),
    path("sign-in/code/", views.CodeView.as_view(), name="account_confirm_login_code"),
    path("sign-in/passkey/", views.PasskeySignInView.as_view(), name="mfa_login_webauthn"),
    path("sign-in/second-factor/", views.SecondFactorView.as_view(), name="mfa_authenticate"),
    path("sign-in/closed/", account_views.account_inactive, name="account_inactive"),
    path("sign-out/", views.SignOutView.as_view(), name="account_logout"),
    path("account/confirm/", factor_views.reauthenticate, name="mfa_reauthenticate"),
    path("account/confirm/passkey/", views.PasskeyConfirmView.as_view(), name="mfa_reauthenticate_webauthn"),
    path("account/app/", views.AppView.as_view(), name="mfa_activate_totp"),
    path("account/app/remove/", app_views.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/passkeys/", RedirectView.as_view(pattern_name="people:account"), name="mfa_list_webauthn"),
    path("account/passkeys/add/", views.PasskeyView.as_view(), name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/remove/", passkey_views.remove_webauthn, name="mfa_remove_webauthn"),
    path("account/passkeys/<int:pk>/name/", passkey_views.edit_webauthn, name="mfa_edit_webauthn"),
    path("account/recovery-codes/", recovery_views.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/recovery-codes/new/", recovery_views.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("account/recovery-codes/file/", recovery_views.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("account/factors/", RedirectView.as_view(pattern_name="people:account"), name="mfa_index"),
]
