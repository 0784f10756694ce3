"""The database holds it too: a change that an answer names and that a later version took back answers no comment."""

from django.db import migrations

# A clause that is in neither version is the same in both; one without a text is not the same as none.
GUARDS = """
CREATE FUNCTION consult_changes_stand() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    says jsonpath := '$.clauses[*] ? (@.id == $id).text';
BEGIN
    IF NEW.ending = 'adopted' AND EXISTS (
        SELECT FROM (SELECT DISTINCT answer_id, version_id FROM consult_comment
                     WHERE draft_id = NEW.id AND part_of_id IS NULL AND hidden = '') AS said
          JOIN consult_answer AS answer ON answer.id = said.answer_id AND answer.outcome = 'changed'
          JOIN consult_version AS before ON before.id = said.version_id
          JOIN consult_version AS latest ON latest.draft_id = NEW.id
           AND latest.number = (SELECT max(number) FROM consult_version WHERE draft_id = NEW.id)
         WHERE jsonb_path_query_array(before.text, says, jsonb_build_object('id', answer.clause))
             = jsonb_path_query_array(latest.text, says, jsonb_build_object('id', answer.clause))
    ) THEN
        RAISE EXCEPTION 'a change that was taken back answers nothing' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consult_changes_stand BEFORE UPDATE ON consult_draft
    FOR EACH ROW EXECUTE FUNCTION consult_changes_stand();
"""


class Migration(migrations.Migration):
    dependencies = [("consult", "0008_moderated_index")]

    operations = [migrations.RunSQL(GUARDS)]
