"""What becomes of files: cleaned copies of good ones, a reason for each bad one."""

import io
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from typing import Any

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from rahdari.apply import portable_documents, screening
from rahdari.apply.parts import attach_document
from rahdari.apply.portable_documents import without_segments
from rahdari.apply.screening import FileFault, FileRefused, Screened, in_a_process, screen, shown_name
from tests.builders.drafts import NOW, a_draft, a_pdf, a_photo, a_photo_with_place, actor_of
from tests.needs import fewer

TYPES = ["application/pdf", "image/jpeg", "image/png"]
MB = 1024 * 1024


def look(content: bytes, name: str = "letter.pdf", *, most_bytes: int = 10 * MB) -> Screened:
    return screen(content, name=name, most_bytes=most_bytes, types=TYPES)


def fault(content: bytes, name: str = "letter.pdf", *, most_bytes: int = 10 * MB) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        look(content, name, most_bytes=most_bytes)
    return caught.value


def a_zip() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    return written.getvalue()


def a_png_of(width: int, height: int) -> bytes:
    """A PNG of any size in a few hundred bytes: one bit a dot, all white."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + b"\xff" * ((width + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(min(height, 4_000))) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def a_pdf_with(content: bytes, *, pages: int = 1, **keys: Any) -> bytes:
    """On each page a picture or, without a subtype, a drawing of these bytes as they are."""
    written = io.BytesIO()
    packed = keys.pop("Filter")
    with pikepdf.new() as pdf:
        for _ in range(pages):
            page = pdf.add_blank_page(page_size=(595, 842))
            stream = pikepdf.Stream(pdf, b"")
            stream.write(content, filter=packed)
            for key, value in keys.items():
                stream[f"/{key}"] = value
            if "Subtype" in keys:
                page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=stream))
                stream = pikepdf.Stream(pdf, b"q 595 0 0 842 0 0 cm /P Do Q")
            page.obj.Contents = stream
        pdf.save(written, deterministic_id=True)
    return written.getvalue()


def written(image: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    into = io.BytesIO()
    image.save(into, kind, **more)
    return into.getvalue()


def a_page(mode: str) -> bytes:
    """Light paper with a dark block in its upper left corner."""
    if mode.startswith("I;16"):
        paper, ink = (3_800, 600) if "12" in mode else (60_000, 10_000)
        row = struct.pack("<H", ink) * 200 + struct.pack("<H", paper) * 200
        blank = struct.pack("<H", paper) * 400
        return written(Image.frombytes("I;16", (400, 500), row * 200 + blank * 300))
    page = Image.new("L", (400, 500), 230)
    page.paste(20, (0, 0, 200, 200))
    if mode == "P transparent":
        return written(page.convert("P"), transparency=230)
    return written(page.convert(mode, dither=Image.Dither.NONE), "JPEG" if mode == "CMYK" else "PNG")


def before_the_picture(jpeg: bytes) -> bytes:
    """Where metadata stand. In the picture itself any four letters stand by chance, once in some thousands."""
    before, scan, _picture = jpeg.partition(b"\xff\xda")
    assert scan
    return before


class TestPhotos:
    def test_come_out_upright_without_place_camera_or_comment(self) -> None:
        sent = a_photo_with_place()
        assert b"SampleCamera" in sent and b"Sample Freelancer" in sent
        kept = look(sent, "IMG_2031.JPG")
        with Image.open(io.BytesIO(kept.content)) as image:
            assert image.size == (800, 1000)
            assert not dict(image.getexif()) and not image.getexif().get_ifd(0x8825)
            assert "comment" not in image.info and "icc_profile" not in image.info
        for trace in (b"SampleCamera", b"Sample Freelancer"):
            assert trace not in kept.content
        assert b"Exif" not in before_the_picture(kept.content)
        assert (kept.name, kept.media_type, kept.pages) == ("IMG_2031.JPG", "image/jpeg", 1)

    @pytest.mark.parametrize(
        "mode", ["1", "L", "LA", "P", "P transparent", "RGB", "RGBA", "I;16", "I;16 of 12 bits", "CMYK"]
    )
    def test_of_every_colour_mode_can_be_read_afterwards(self, mode: str) -> None:
        """A page with a dark block: block and paper are as far apart as they were."""
        with Image.open(io.BytesIO(look(a_page(mode), "scan").content)) as image:
            assert image.size == (400, 500)
            grey = image.convert("L")
            ink, paper = grey.getpixel((100, 100)), grey.getpixel((350, 450))
            assert isinstance(ink, int) and isinstance(paper, int) and paper - ink > 100

    def test_with_light_letters_on_nothing_get_a_dark_paper(self) -> None:
        page = Image.new("RGBA", (400, 500), (255, 255, 255, 0))
        page.paste((255, 255, 255, 255), (50, 50, 200, 200))
        with Image.open(io.BytesIO(look(written(page), "scan.png").content)) as image:
            assert image.getpixel((100, 100)) == (255, 255, 255)
            assert image.getpixel((350, 450)) == (64, 64, 64)

    def test_of_two_colours_keep_their_thin_lines_when_they_are_made_smaller(self) -> None:
        page = Image.new("1", (6_000, 5_000), 1)
        for x in range(0, 6_000, 100):
            page.paste(0, (x, 0, x + 1, 5_000))  # a hair of a sheet at 600 dots an inch
        with Image.open(io.BytesIO(look(written(page), "scan.png").content)) as image:
            row = [image.getpixel((x, 1_000)) for x in range(image.width)]
        assert sum(shade < 200 for shade in row if isinstance(shade, int)) >= 60

    @pytest.mark.parametrize(("mode", "most"), [("1", 40), ("L", 40), ("RGB", 25), ("RGBA", 25)])
    def test_have_a_limit_of_dots_that_is_seen_in_their_head(self, mode: str, most: int) -> None:
        side = int((most * 1_000_000) ** 0.5)
        error = fault(written(Image.new(mode, (side + 1, side + 1))), "scan.png")
        assert (error.reason, error.limit) == (FileFault.TOO_MANY_PIXELS, most)

    def test_are_made_smaller_when_they_are_larger_than_reading_needs(self) -> None:
        kept = look(a_png_of(6_000, 3_000), "scan.png")
        with Image.open(io.BytesIO(kept.content)) as image:
            assert image.size == (4_000, 2_000)

    def test_may_carry_what_a_telephone_puts_behind_them(self) -> None:
        kept = look(a_photo() + b"\0\0MotionPhoto_Data" + b"\x00\x00\x00\x18ftypmp42" * 3, "photo.jpg")
        assert b"MotionPhoto" not in kept.content

    @pytest.mark.parametrize("tail", [a_zip(), a_pdf(), b"<HTML><script>alert(1)</script>", b"MZ\x90\0", b"\x7fELF"])
    @pytest.mark.parametrize("head", [a_photo(), a_photo(kind="PNG")], ids=["jpg", "png"])
    def test_with_another_file_behind_are_refused(self, head: bytes, tail: bytes) -> None:
        name = "photo.jpg" if head.startswith(b"\xff\xd8") else "photo.png"
        assert look(head, name)
        assert fault(head + tail, name).reason is FileFault.POLYGLOT

    def test_with_a_page_in_their_comment_are_refused(self) -> None:
        assert fault(a_photo(comment=b"<script>x()</script>"), "a.jpg").reason is FileFault.POLYGLOT

    def test_that_unpack_to_too_many_dots_are_refused_unopened(self) -> None:
        bomb = a_png_of(60_000, 60_000)
        assert len(bomb) < 200_000
        error = fault(bomb, "big.png")
        assert (error.reason, error.limit) == (FileFault.TOO_MANY_PIXELS, 25)

    def test_too_small_to_read_are_refused(self) -> None:
        assert fault(a_photo((200, 290)), "a.jpg").reason is FileFault.TOO_SMALL

    @pytest.mark.parametrize(
        "content", [a_photo()[:700], b"\xff\xd8\xff" + b"\0" * 500, b"\x89PNG\r\n\x1a\n" + b"x" * 80]
    )
    def test_cut_short_or_broken_are_unreadable(self, content: bytes) -> None:
        name = "a.png" if content.startswith(b"\x89") else "a.jpg"
        assert fault(content, name).reason is FileFault.UNREADABLE


class TestPortableDocuments:
    def test_keep_their_pages_and_lose_all_that_acts_or_tells(self) -> None:
        written = io.BytesIO()
        with pikepdf.new() as pdf:
            pdf.add_blank_page(page_size=(595, 842))
            page = pdf.pages[0].obj
            script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert('planted')"))
            page.AA = pikepdf.Dictionary(O=script)
            note = pikepdf.Dictionary(
                Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=[0, 0, 9, 9], A=script, T=pikepdf.String("f")
            )
            link = pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Link,
                Rect=[0, 0, 9, 9],
                A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://planted.example/")),
            )
            page.Annots = pikepdf.Array([pdf.make_indirect(note), pdf.make_indirect(link)])
            page.PieceInfo = pikepdf.Dictionary(Planted=pikepdf.Dictionary(Private=pikepdf.String("planted")))
            pdf.Root.OpenAction = script
            pdf.attachments["planted.txt"] = b"planted attachment"
            pdf.docinfo["/Author"] = "Sample Freelancer 31, planted"
            with pdf.open_metadata() as metadata:
                metadata["dc:creator"] = ["planted creator"]
            pdf.save(written, compress_streams=False)
        assert written.getvalue().count(b"planted") >= 6
        kept = look(written.getvalue())
        assert b"planted" not in kept.content
        for key in (b"JavaScript", b"/JS", b"OpenAction", b"/URI", b"EmbeddedFile", b"/Author", b"/Metadata"):
            assert key not in kept.content
        with pikepdf.open(io.BytesIO(kept.content)) as pdf:
            assert len(pdf.pages) == kept.pages == 1
            assert "/Annots" not in pdf.pages[0].obj

    def test_keep_a_photo_on_the_page_without_the_place_it_was_taken(self) -> None:
        photo = a_photo_with_place()
        written = io.BytesIO()
        with pikepdf.new() as pdf:
            pdf.add_blank_page(page_size=(595, 842))
            picture = pikepdf.Stream(pdf, photo)
            picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
            picture.Width, picture.Height, picture.BitsPerComponent = 1000, 800, 8
            picture.ColorSpace, picture.Filter = pikepdf.Name.DeviceRGB, pikepdf.Name.DCTDecode
            pdf.pages[0].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=picture))
            pdf.pages[0].obj.Contents = pikepdf.Stream(pdf, b"q 500 0 0 400 40 40 cm /Im0 Do Q")
            pdf.save(written)
        assert b"SampleCamera" in written.getvalue()
        kept = look(written.getvalue())
        assert b"SampleCamera" not in kept.content
        with pikepdf.open(io.BytesIO(kept.content)) as pdf:
            image = pdf.pages[0].obj.Resources.XObject.Im0.read_raw_bytes()
        assert b"Exif" not in before_the_picture(image)
        with Image.open(io.BytesIO(image)) as shown, Image.open(io.BytesIO(photo)) as before:
            assert shown.tobytes() == before.tobytes()

    def test_with_a_password_to_open_are_refused_and_with_one_to_change_are_kept(self) -> None:
        locked = a_pdf(encryption=pikepdf.Encryption(owner="x", user="secret"))
        assert fault(locked).reason is FileFault.PASSWORD
        kept = look(a_pdf(encryption=pikepdf.Encryption(owner="x", user="")))
        with pikepdf.open(io.BytesIO(kept.content)) as pdf:
            assert not pdf.is_encrypted

    def test_of_too_many_pages_are_refused_one_beyond_the_limit(self) -> None:
        assert look(a_pdf(screening.MOST_PAGES)).pages == screening.MOST_PAGES
        error = fault(a_pdf(screening.MOST_PAGES + 1))
        assert (error.reason, error.limit) == (FileFault.TOO_MANY_PAGES, screening.MOST_PAGES)

    @pytest.mark.parametrize("tail", [a_zip(), b"<html><script>x()</script></html>", a_photo() + b"PK\x03\x04"])
    def test_with_another_file_behind_are_refused(self, tail: bytes) -> None:
        assert fault(a_pdf() + tail).reason is FileFault.POLYGLOT

    @pytest.mark.parametrize("times", [1, 2, 3])
    def test_whose_page_unpacks_to_more_than_a_page_needs_are_refused(self, times: int) -> None:
        packed = b" " * (portable_documents.MOST_UNPACKED + 1)
        for _ in range(times):
            packed = zlib.compress(packed, 9)
        pdf = a_pdf_with(packed, Filter=pikepdf.Array([pikepdf.Name.FlateDecode] * times))
        assert len(pdf) < 100_000
        assert fault(pdf).reason is FileFault.TOO_COMPLEX

    @pytest.mark.parametrize("limit", ["MOST_DRAWN", "MOST_IN_ALL"])
    def test_that_unpack_to_more_than_a_letter_needs_in_all_are_refused_before_the_rest_is_read(
        self, limit: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each page is small enough; together they cost whoever reads them half a minute."""
        read: list[int] = []
        unpacked = portable_documents._unpacked
        monkeypatch.setattr(portable_documents, "_unpacked", lambda *given: read.append(unpacked(*given)) or read[-1])
        monkeypatch.setattr(portable_documents, limit, 10 * MB)
        given: dict[str, Any] = {"Filter": pikepdf.Name.FlateDecode}
        if limit == "MOST_IN_ALL":
            given |= {
                "Subtype": pikepdf.Name.Image, "Width": 1024, "Height": 1024, "BitsPerComponent": 8,
                "ColorSpace": pikepdf.Name.DeviceGray,
            }  # fmt: skip
        assert look(a_pdf_with(zlib.compress(b" " * MB), pages=9, **given)).pages == 9
        assert 9 * MB <= sum(read) < 10 * MB
        read.clear()
        assert fault(a_pdf_with(zlib.compress(b" " * MB), pages=60, **given)).reason is FileFault.TOO_COMPLEX
        assert sum(read) < 13 * MB

    def test_with_a_filter_that_only_the_library_reads_are_measured_too(self) -> None:
        runs = b"\x81 " * 300_000  # each pair stands for 128 spaces
        assert fault(a_pdf_with(runs, Filter=pikepdf.Name.RunLengthDecode)).reason is FileFault.TOO_COMPLEX
        assert look(a_pdf_with(b"\x81 " * 30, Filter=pikepdf.Name.RunLengthDecode)).pages == 1

    def test_with_a_picture_are_measured_by_its_dots(self) -> None:
        packed = zlib.compress(b"\0" * 40_000_000, 9)
        scan = {
            "Subtype": pikepdf.Name.Image, "Width": 5_000, "Height": 8_000, "BitsPerComponent": 8,
            "ColorSpace": pikepdf.Name.DeviceGray, "Filter": pikepdf.Name.FlateDecode,
        }  # fmt: skip
        assert look(a_pdf_with(packed, **scan)).pages == 1
        assert fault(a_pdf_with(packed, **scan | {"Width": 10, "Height": 10})).reason is FileFault.TOO_COMPLEX
        assert fault(a_pdf_with(packed, **scan | {"Width": 99_000, "Height": 99_000})).reason is FileFault.TOO_COMPLEX

    def test_with_a_page_in_front_are_no_pdf(self) -> None:
        assert fault(b"<html>" + a_pdf()).reason is FileFault.DISGUISED

    @pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"%PDF-1.7\n" + b"garbage " * 400, a_pdf()[:200]])
    def test_broken_are_unreadable(self, content: bytes) -> None:
        assert fault(content).reason is FileFault.UNREADABLE


class TestScreen:
    def test_refuses_an_empty_file_and_one_byte_too_many(self) -> None:
        pdf = a_pdf()
        assert fault(b"").reason is FileFault.EMPTY
        assert look(pdf, most_bytes=len(pdf))
        error = fault(pdf, most_bytes=len(pdf) - 1)
        assert (error.reason, error.limit) == (FileFault.TOO_BIG, len(pdf) - 1)

    @pytest.mark.parametrize(
        ("content", "name", "reason"),
        [
            (a_zip(), "letter.docx", FileFault.WRONG_TYPE),
            (b"just text", "letter.txt", FileFault.WRONG_TYPE),
            (b"MZ\x90\0" + b"\0" * 200, "setup.exe", FileFault.WRONG_TYPE),
            (a_zip(), "letter.pdf", FileFault.DISGUISED),
            (b"MZ\x90\0" + b"\0" * 200, "letter.pdf", FileFault.DISGUISED),
            (b"<html></html>", "photo.jpg", FileFault.DISGUISED),
            (a_pdf(), "photo.jpg", FileFault.DISGUISED),
            (a_pdf(), "letter.exe", FileFault.DISGUISED),
            (a_photo(), "letter.pdf", FileFault.DISGUISED),
        ],
    )  # fmt: skip
    def test_tells_a_wrong_type_from_a_disguised_one(self, content: bytes, name: str, reason: FileFault) -> None:
        assert fault(content, name).reason is reason

    def test_names_a_type_of_picture_that_is_not_taken(self) -> None:
        heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 400
        assert (fault(heic, "IMG_1.HEIC").reason, fault(heic, "IMG_1.HEIC").found) == (FileFault.WRONG_TYPE, "HEIC")
        assert (fault(heic, "photo.jpg").reason, fault(heic, "photo.jpg").found) == (FileFault.DISGUISED, "HEIC")
        written = io.BytesIO()
        Image.new("RGB", (400, 400)).save(written, "WEBP")
        assert fault(written.getvalue(), "a.webp").found == "WEBP"

    def test_takes_a_name_without_an_ending_and_one_picture_type_for_the_other(self) -> None:
        assert look(a_pdf(), "letter").name == "letter.pdf"
        assert look(a_photo(), "photo.png").name == "photo.jpg"
        assert look(a_photo(kind="PNG"), "PHOTO.JPEG").name == "PHOTO.png"

    @settings(max_examples=fewer(60, 20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from([b"", b"%PDF-1.4\n", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"]), st.binary(max_size=3_000))
    def test_answers_any_bytes_with_a_file_or_a_reason(self, start: bytes, rest: bytes) -> None:
        try:
            kept = look(start + rest, "file")
        except FileRefused as error:
            kept = None
            assert isinstance(error.reason, FileFault)  # noqa: PT017 (both answers are right)
        assert kept is None or kept.content

    @settings(max_examples=fewer(40, 15), deadline=None)
    @given(st.data())
    def test_survives_damage_at_any_place(self, data: st.DataObject) -> None:
        good = data.draw(st.sampled_from([SMALL_PDF, SMALL_PHOTO]))
        place = data.draw(st.integers(4, len(good) - 1))
        damaged = good[:place] + data.draw(st.binary(min_size=1, max_size=8)) + good[place + 1 :]
        try:
            kept = look(damaged, "file")
        except FileRefused:
            kept = None
        assert kept is None or kept.content


SMALL_PDF = a_pdf()
SMALL_PHOTO = a_photo((320, 320))


class TestInAProcess:
    @pytest.fixture(autouse=True)
    def patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first one is asked while Python still starts there, which a busy machine is long about."""
        monkeypatch.setattr(screening, "PATIENCE", 100)

    def test_gives_the_same_answer(self) -> None:
        here = screen(SMALL_PDF, name="letter.pdf", most_bytes=MB, types=TYPES)
        assert in_a_process(SMALL_PDF, name="letter.pdf", most_bytes=MB, types=TYPES) == here
        with pytest.raises(FileRefused) as caught:
            in_a_process(a_zip(), name="letter.pdf", most_bytes=MB, types=TYPES)
        assert caught.value.reason is FileFault.DISGUISED

    def test_is_told_no_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("DATABASE_URL", "RAHDARI_SECRET_KEY", "RAHDARI_DATA", "RAHDARI_SMTP_PASSWORD"):
            monkeypatch.setenv(name, "planted")
        told = screening._environment()
        assert set(told) <= {"PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "PYTHONPATH", "PYTHONUTF8"}
        assert "planted" not in told.values()

    @pytest.mark.parametrize("mode", ["1", "LA", "P transparent", "RGB", "I;16", "CMYK"])
    def test_gives_the_same_picture(self, mode: str) -> None:
        """Behind its walls it can import nothing more: what a picture of any kind needs is there before."""
        page = a_page(mode)
        assert in_a_process(page, name="scan", most_bytes=MB, types=TYPES) == look(page, "scan")

    @pytest.mark.parametrize("revision", [2, 3, 4, 6])
    def test_opens_what_has_a_password_to_change_it(self, revision: int) -> None:
        """Bank statements are so; each revision of the standard has ciphers of its own."""
        sent = io.BytesIO()
        given: dict[str, Any] = {"aes": revision > 3, "metadata": revision > 3}
        with pikepdf.new() as pdf:
            pdf.add_blank_page()
            pdf.save(sent, encryption=pikepdf.Encryption(owner="a", user="", R=revision, **given))  # type: ignore[arg-type]
        kept = in_a_process(sent.getvalue(), name="statement.pdf", most_bytes=MB, types=TYPES)
        assert kept.pages == 1

    def test_turns_a_photo_upright(self) -> None:
        sent = a_photo_with_place()
        assert in_a_process(sent, name="a.jpg", most_bytes=MB, types=TYPES) == look(sent, "a.jpg")

    def test_is_done_with_two_coloured_noise_within_its_seconds(self) -> None:
        """Packed at the highest level, this took half a minute of a processor."""
        noise = written(Image.frombytes("1", (6_000, 6_000), random.Random(1).randbytes(4_500_000)))
        kept = in_a_process(noise, name="noise.png", most_bytes=10 * MB, types=TYPES)
        assert len(kept.content) < 10 * MB

    def test_has_seconds_and_memory_of_which_a_few_at_once_leave_the_pages_alone(self) -> None:
        """With 30 seconds and 1,500 MB four accounts held the whole site."""
        program = (
            "import resource; from rahdari.apply import screening; "
            "screening._limit_this_process(screening.MEMORY, screening.SECONDS); "
            "print(resource.getrlimit(resource.RLIMIT_CPU)[0], resource.getrlimit(resource.RLIMIT_AS)[0])"
        )
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        seconds, memory = map(int, said.split())
        assert 0 < seconds <= 5 and 0 < memory <= 400 * MB

    def test_survives_a_file_that_unpacks_to_more_than_the_memory(self) -> None:
        error = None
        try:
            in_a_process(a_pdf_bomb(), name="letter.pdf", most_bytes=10 * MB, types=TYPES)
        except FileRefused as caught:
            error = caught
        assert error is not None
        assert error.reason in {FileFault.TOO_COMPLEX, FileFault.UNREADABLE}

    @pytest.mark.django_db
    def test_is_asked_for_every_document_that_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given = []
        monkeypatch.setattr(screening, "in_a_process", in_a_process)  # tests/conftest.py
        judge = screening._judges.judge
        monkeypatch.setattr(
            screening._judges, "judge", lambda *told, **more: given.append(told[0]) or judge(*told, **more)
        )
        draft = a_draft()
        attach_document(
            application=draft,
            rule="evidence",
            name="letter.pdf",
            content=SMALL_PDF,
            actor=actor_of(draft.applicant),
            now=NOW,
        )
        assert given == [b"p"]


def packed_spaces(times: int) -> bytes:
    """So many megabytes of spaces: one is packed, and then repeated. The sum at the end is Adler-32 (RFC 1950)."""
    packer = zlib.compressobj(9)
    first, again = (packer.compress(b" " * MB) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    size = times * MB
    low, high = (1 + 32 * size) % 65_521, (size + 16 * size * (size + 1)) % 65_521
    return first + again * (times - 1) + b"\x03\0" + (high << 16 | low).to_bytes(4)


def a_pdf_bomb() -> bytes:
    """A PDF whose list of objects unpacks from 2 MB to 1.8 GB."""
    packed = packed_spaces(1_800)
    head = b"%PDF-1.7\n1 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length "
    body = head + str(len(packed)).encode() + b" >>\nstream\n" + packed + b"\nendstream\nendobj\n"
    row = b"\x01" + struct.pack(">HB", 9, 0)
    entries = [b"\0\0\0\0", row, b"\x02" + struct.pack(">HB", 1, 0), b"\x02" + struct.pack(">HB", 1, 0)]
    table = zlib.compress(b"".join(entries))
    start = len(body)
    xref = (
        b"4 0 obj\n<< /Type /XRef /Size 4 /W [1 2 1] /Root 2 0 R /Filter /FlateDecode /Length "
        + str(len(table)).encode()
        + b" >>\nstream\n"
        + table
        + b"\nendstream\nendobj\n"
    )
    return body + xref + b"startxref\n" + str(start).encode() + b"\n%%EOF\n"


class TestShownName:
    @given(st.text(max_size=300))
    def test_is_never_a_path_and_never_long(self, name: str) -> None:
        shown = shown_name(name)
        assert shown
        assert "/" not in shown and "\\" not in shown and "\0" not in shown
        assert len(shown) <= screening.LONGEST_NAME

    def test_is_the_last_part(self) -> None:
        assert shown_name("C:\\Users\\me\\letter.pdf") == "letter.pdf"
        assert shown_name("../../etc/passwd") == "passwd"
        assert shown_name("a\u202efdp.exe") == "afdp.exe"
        assert shown_name("x" * 300 + ".pdf").endswith(".pdf")


class TestWithoutSegments:
    @settings(deadline=None)
    @given(st.binary(max_size=400))
    def test_survives_any_bytes(self, content: bytes) -> None:
        assert isinstance(without_segments(b"\xff\xd8" + content), bytes)
