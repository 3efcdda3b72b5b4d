from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.errors import InputError
from score_flyio.images.reference import ImageReference

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag", "digest"),
    [
        ("nginx", "docker.io", "library/nginx", "", ""),
        ("nginx:1.27", "docker.io", "library/nginx", "1.27", ""),
        ("acme/shop", "docker.io", "acme/shop", "", ""),
        ("docker.io/nginx", "docker.io", "library/nginx", "", ""),
        ("index.docker.io/acme/shop:2", "docker.io", "acme/shop", "2", ""),
        ("docker-hub-mirror.fly.io/library/nginx:1", "docker.io", "library/nginx", "1", ""),
        ("localhost/shop", "localhost", "shop", "", ""),
        ("localhost:5000/team/shop:v1.2.3-rc.1", "localhost:5000", "team/shop", "v1.2.3-rc.1", ""),
        ("ghcr.io/acme/a__b--c.d", "ghcr.io", "acme/a__b--c.d", "", ""),
        ("[::1]:5000/shop", "[::1]:5000", "shop", "", ""),
        ("HOST/shop", "HOST", "shop", "", ""),
        (f"nginx@{DIGEST}", "docker.io", "library/nginx", "", DIGEST),
        (f"nginx:1@{DIGEST}", "docker.io", "library/nginx", "1", DIGEST),
        ("registry.fly.io/app:deployment-01ABC", "registry.fly.io", "app", "deployment-01ABC", ""),
        ("a/b/c/d:_", "docker.io", "a/b/c/d", "_", ""),
    ],
)
def test_parts(text: str, host: str, repository: str, tag: str, digest: str) -> None:
    expected = ImageReference(host=host, repository=repository, tag=tag, digest=digest)
    assert ImageReference.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("x y", "it has spaces in it"),
        ("nginx\n", "it has spaces in it"),
        ("$SCORE_IMAGE", "variables are not filled in here"),
        ("nginx:${TAG}", "variables are not filled in here"),
        ("https://ghcr.io/a", "it starts with a scheme"),
        ("Nginx", "capital letters"),
        ("ghcr.io/Acme/shop", "capital letters"),
        (".", "'library/.' is not the name of a repository"),
        ("a//b", "is not the name of a repository"),
        ("a/", "is not the name of a repository"),
        ("/a", "is not the name of a repository"),
        ("a___b", "is not the name of a repository"),
        ("-a.b/c", "'-a.b' is not the name of a registry"),
        ("host:123456/c", "'host:123456' is not the name of a registry"),
        ("host:port/c", "'host:port' is not the name of a registry"),
        ("nginx:", "'' is not a tag"),
        ("nginx:-1", "'-1' is not a tag"),
        ("nginx:" + "a" * 129, "is not a tag"),
        ("nginx@", "'' is not a digest"),
        ("nginx@sha256:abc", "'sha256:abc' is not a digest"),
        (f"nginx@{DIGEST.upper()}", "is not a digest"),
        ("0123456789abcdef" * 4, "the id of an image"),
        (DIGEST, "the id of an image"),
        ("a" * 250, "longer than 255"),
    ],
)
def test_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        ImageReference.parse(text)
    assert says in raised.value.message
    assert repr(text) in raised.value.message
    assert raised.value.hint
    assert raised.value.code == "image_invalid"


def read(text: str) -> ImageReference | None:
    """The reference, or None where it is refused."""
    try:
        return ImageReference.parse(text)
    except InputError:
        return None


HOSTS = st.sampled_from(["ghcr.io", "localhost", "127.0.0.1:5000", "r.example.com:443", "[::1]:5"])
WORDS = st.text("abz019", min_size=1, max_size=6)
REPOSITORIES = st.lists(WORDS, min_size=1, max_size=3).map("/".join)
TAGS = st.one_of(st.just(""), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True))
DIGESTS = st.sampled_from(["", DIGEST])


@given(host=HOSTS, repository=REPOSITORIES, tag=TAGS, digest=DIGESTS)
def test_what_is_written_out_is_read_back(
    host: str, repository: str, tag: str, digest: str
) -> None:
    reference = ImageReference(host=host, repository=repository, tag=tag, digest=digest)
    assert ImageReference.parse(str(reference)) == reference


@given(text=st.text(st.sampled_from("aA0.:/@-_[] $é"), max_size=12))
def test_any_text_is_read_to_what_says_the_same_or_refused(text: str) -> None:
    found = read(text)
    assert found is None or (
        str(found).endswith(text) and ImageReference.parse(str(found)) == found
    )


@given(text=st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    read(text)


def test_a_digest_decides_before_a_tag() -> None:
    assert ImageReference.parse("nginx").version == "latest"
    assert ImageReference.parse("nginx:1").version == "1"
    assert ImageReference.parse(f"nginx:1@{DIGEST}").version == DIGEST
    assert str(ImageReference.parse("nginx:1").at(DIGEST)) == f"docker.io/library/nginx:1@{DIGEST}"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Nginx:V1", "nginx:V1"),
        ("library/Nginx", "library/nginx"),
        ("ghcr.io/Acme/Shop:V2", "ghcr.io/acme/shop:V2"),
    ],
)
def test_the_hint_for_capital_letters_is_the_whole_name(text: str, meant: str) -> None:
    with pytest.raises(InputError) as raised:
        ImageReference.parse(text)
    assert raised.value.hint == f"did you mean {meant!r}?"


def test_a_tag_with_a_slash_is_told_as_such() -> None:
    for text in ("shop:feature/login", "r.example.com:v1/shop"):
        with pytest.raises(InputError, match="is not the name of a registry") as raised:
            ImageReference.parse(text)
        assert raised.value.hint == "a port is a number, and a tag has no / in it"
