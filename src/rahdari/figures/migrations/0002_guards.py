"""The database holds it too: what was published is only added to, in the order of its editions, and no number in it is
below the threshold or not rounded. What is counted of drafts only grows."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION figures_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was published stays: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER figures_only_grow BEFORE UPDATE OR DELETE ON figures_publication
    FOR EACH ROW EXECUTE FUNCTION figures_only_grow();
CREATE TRIGGER figures_are_never_emptied BEFORE TRUNCATE ON figures_publication
    FOR EACH STATEMENT EXECUTE FUNCTION figures_only_grow();

CREATE FUNCTION figures_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.edition <> 1 + (SELECT count(*) FROM figures_publication WHERE month = NEW.month) THEN
        RAISE EXCEPTION 'edition % of % does not follow', NEW.edition, NEW.month USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER figures_follow BEFORE INSERT ON figures_publication
    FOR EACH ROW EXECUTE FUNCTION figures_follow();

ALTER TABLE figures_publication
    ADD CONSTRAINT cells_are_a_list CHECK (jsonb_typeof(cells) = 'array' AND jsonb_array_length(cells) > 0),
    ADD CONSTRAINT a_cell_has_a_number_or_a_mark CHECK (NOT jsonb_path_exists(cells,
        '$[*] ? (!(@.value == null && (@.mark == "few" || @.mark == "withheld")
                   || @.value.type() == "number" && @.value >= 0 && @.mark == ""))')),
    ADD CONSTRAINT no_small_number_is_published CHECK (NOT jsonb_path_exists(cells,
        '$[*] ? (@.measure == "number" && @.value != null && (@.value < 10 || @.value % 5 != 0))'));

CREATE FUNCTION given_up_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.month, NEW.service, NEW.step) IS DISTINCT FROM (OLD.month, OLD.service, OLD.step)
       OR NEW.number < OLD.number THEN
        RAISE EXCEPTION 'what is counted of drafts only grows' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER given_up_only_grows BEFORE UPDATE ON figures_givenup
    FOR EACH ROW EXECUTE FUNCTION given_up_only_grows();
"""


class Migration(migrations.Migration):
    dependencies = [("figures", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS)]
