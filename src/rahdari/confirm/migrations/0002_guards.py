"""Answers are only added."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION confirm_answers_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'answers are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER confirm_answers_only_grow BEFORE UPDATE OR DELETE ON confirm_subscriberanswer
    FOR EACH ROW EXECUTE FUNCTION confirm_answers_only_grow();
"""


class Migration(migrations.Migration):
    dependencies = [("confirm", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
