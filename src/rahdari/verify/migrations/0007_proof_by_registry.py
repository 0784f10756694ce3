from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("verify", "0006_proof_by_operator"),
    ]

    operations = [
        migrations.AlterField(
            model_name="challenge",
            name="method",
            field=models.CharField(
                choices=[
                    ("link", "Link"),
                    ("http", "Http"),
                    ("tls-alpn", "Tls Alpn"),
                    ("tls", "Tls"),
                    ("sstp", "Sstp"),
                    ("openvpn", "Openvpn"),
                    ("wireguard", "Wireguard"),
                    ("ikev2", "Ikev2"),
                    ("dns", "Dns"),
                    ("operator", "Operator"),
                    ("record", "Record"),
                    ("contact", "Contact"),
                    ("report", "Report"),
                ],
                max_length=12,
            ),
        ),
    ]
