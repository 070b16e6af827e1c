import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from mock_klarna.shoppers import (
    COUNTRIES,
    UnknownCountry,
    country,
    mandatory_problems,
    named_shopper,
    person,
    shopper_names,
)
from mock_klarna.shoppers.generate import region_of, with_mandatory_members
from mock_klarna.shoppers.national_ids import swedish_check
from tests.extent import extent

with_regions = pytest.mark.parametrize("code", ["US", "AU", "CA"])


def in_a_new_interpreter(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8"
    ).stdout.strip()


@pytest.mark.process
def test_faker_is_not_imported_before_the_first_person() -> None:
    show = "print('faker' in sys.modules)"
    first = (
        f"import sys, mock_klarna.shoppers as s; s.named_shopper('se-approved'); {show}; s.person('SE', '1'); {show}"
    )
    assert in_a_new_interpreter(first).split() == ["False", "True"]


@pytest.mark.process
def test_another_process_makes_the_same_person() -> None:
    code = "from mock_klarna.shoppers import person; print(ascii(person('GR', 'seed')))"
    assert in_a_new_interpreter(code) == ascii(person("GR", "seed"))


def test_the_same_seed_gives_the_same_person_after_other_persons() -> None:
    for code in COUNTRIES:
        before = person(code, "one")
        person(code, "two")
        assert person(code, "one") == before != person(code, "two")


def test_threads_do_not_disturb_each_other() -> None:
    seeds = [str(seed) for seed in range(40)]
    alone = [person("SE", seed) for seed in seeds]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda seed: person("SE", seed), seeds)) == alone


def test_many_seeds_give_many_people() -> None:
    assert len({person("SE", str(seed)).billing_address["email"] for seed in range(200)}) > 195


def test_everybody_is_adult_and_under_eighty() -> None:
    today = date(2020, 2, 29)
    for code in COUNTRIES:
        people = [person(code, str(seed), today=today) for seed in range(extent(usual=10, thorough=50))]
        births = [one.customer["date_of_birth"] for one in people]
        assert "1940-02-29" < min(births) < max(births) <= "2002-02-28", code


def test_mail_goes_to_a_domain_that_nobody_owns() -> None:
    for code in COUNTRIES:
        email = person(code, "mail").billing_address["email"]
        assert email.isascii()
        assert email.endswith("@example.com")
        assert email.count(".") == 3


def test_a_person_without_a_shipping_address_has_none() -> None:
    assert person("SE", "1").shipping_address is None
    assert person("SE", "1", {"shipping_address": {}}).shipping_address is None


def test_named_and_generated_shoppers_get_what_the_merchant_requires() -> None:
    required = {
        f"{name}_mandatory": True for name in ("phone", "title", "date_of_birth", "national_identification_number")
    }
    everybody = [named_shopper(name) for name in shopper_names()] + [person(code, "1") for code in COUNTRIES]
    for shopper in everybody:
        completed = with_mandatory_members(shopper, required)
        assert list(mandatory_problems(completed.billing_address, completed.customer, required)) == [], shopper.name
        assert completed.billing_address.items() >= shopper.billing_address.items(), shopper.name
        assert completed.customer.items() >= shopper.customer.items(), shopper.name
        assert with_mandatory_members(shopper, required) == completed, shopper.name
        assert with_mandatory_members(shopper, {"title_mandatory": False}) == shopper, shopper.name
    john = with_mandatory_members(named_shopper("se-guide"), required)
    assert (john.billing_address["title"], john.customer["title"]) == ("Mr", "Mr")
    number = john.customer["national_identification_number"]
    assert number[-1] == swedish_check(number[2:-1])


def test_a_country_that_is_not_served_is_refused() -> None:
    with pytest.raises(UnknownCountry):
        person("XX", "1")
    with pytest.raises(UnknownCountry):
        person("SE", "1", {"country": "XX"})


@pytest.mark.parametrize(
    "given",
    [
        {"country": "uk"},
        {"billing_address": {"country": "GB"}},
        {"country": "SE", "billing_address": {"country": "gb"}},
    ],
)
def test_a_given_country_changes_everything(given: dict[str, object]) -> None:
    assert person("SE", "1", given) == person("GB", "1")


def test_a_given_member_changes_that_member_alone() -> None:
    plain, changed = person("SE", "1"), person("SE", "1", {"email": "a+denied@email.se"})
    assert changed.billing_address == {**plain.billing_address, "email": "a+denied@email.se"}
    assert changed.customer == plain.customer


def test_null_and_unknown_members_are_not_set() -> None:
    assert person("SE", "1", {"email": None, "customer": None, "shoe_size": 43}) == person("SE", "1")


def test_an_object_wins_over_a_single_member() -> None:
    given = {"city": "Malmö", "gender": "male", "billing_address": {"city": "Lund"}, "customer": {"gender": "female"}}
    shopper = person("SE", "1", given)
    assert (shopper.billing_address["city"], shopper.customer["gender"]) == ("Lund", "female")


@pytest.mark.parametrize("gender", ["female", "male"])
def test_the_title_follows_a_given_gender(gender: str) -> None:
    shoppers = [person("DE", str(seed), {"gender": gender}) for seed in range(10)]
    titles = {(one.billing_address["title"], one.customer["title"]) for one in shoppers}
    assert titles == ({("Frau", "Frau")} if gender == "female" else {("Herr", "Herr")})


@pytest.mark.parametrize(("title", "gender"), [("Mrs", "female"), ("Mr", "male")])
@pytest.mark.parametrize("where", ["billing_address", "customer"])
def test_a_title_gives_the_gender(title: str, gender: str, where: str) -> None:
    shopper = person("GB", "1", {where: {"title": title}})
    assert shopper.customer["gender"] == gender
    assert shopper.billing_address["title"] == shopper.customer["title"] == title


def test_czech_women_have_the_family_names_of_women() -> None:
    women = [person("CZ", str(seed), {"gender": "female"}).billing_address["family_name"] for seed in range(10)]
    assert all(name.endswith("á") for name in women)


def test_the_mail_address_follows_a_given_name() -> None:
    shopper = person("GR", "1", {"given_name": "Θεοχάρης", "family_name": "Ψάλτης"})
    assert shopper.billing_address["email"].startswith("theocharis.psaltis.")


def test_the_national_number_follows_a_given_date_of_birth() -> None:
    shopper = person("SE", "1", {"date_of_birth": "1985-10-20"})
    assert shopper.customer["national_identification_number"].startswith("19851020")


def test_a_date_of_birth_that_is_none_leaves_the_national_number_out() -> None:
    assert "national_identification_number" not in person("SE", "1", {"date_of_birth": "yesterday"}).customer


def test_a_given_national_number_stays() -> None:
    given = {"national_identification_number": "194103219202"}
    assert person("SE", "1", given).customer["national_identification_number"] == "194103219202"


def test_a_shipping_address_goes_to_the_same_person_elsewhere() -> None:
    shopper = person("SE", "1", {"shipping_address": {"country": "NO", "given_name": "Kari"}})
    billing, shipping = shopper.billing_address, shopper.shipping_address or {}
    assert (shipping["given_name"], shipping["country"]) == ("Kari", "NO")
    assert (shipping["family_name"], shipping["email"]) == (billing["family_name"], billing["email"])
    assert shipping["street_address"] != billing["street_address"]


@with_regions
def test_a_postal_code_lies_in_its_region(code: str) -> None:
    addresses = [person(code, str(seed)).billing_address for seed in range(100)]
    assert [region_of(code, address["postal_code"]) for address in addresses] == [one["region"] for one in addresses]
    assert len({address["region"] for address in addresses}) > 4


@pytest.mark.parametrize(
    ("code", "postal_code", "region"),
    [
        ("US", "60102", "IL"),
        ("US", "10024-3941", "NY"),
        ("AU", "4877", "QLD"),
        ("AU", "2600", "ACT"),
        ("CA", "v7h 1l9", "BC"),
        ("CA", "X0C 0A1", "NU"),
        ("CA", "X0E 0T0", "NT"),
    ],
)
def test_the_region_follows_a_given_postal_code(code: str, postal_code: str, region: str) -> None:
    shopper = person(code, "1", {"postal_code": postal_code})
    assert (shopper.billing_address["postal_code"], shopper.billing_address["region"]) == (postal_code, region)


@pytest.mark.parametrize(("code", "region"), [("US", "OH"), ("AU", "NT"), ("CA", "QC")])
def test_the_postal_code_follows_a_given_region(code: str, region: str) -> None:
    address = person(code, "1", {"region": region}).billing_address
    assert (address["region"], region_of(code, address["postal_code"])) == (region, region)


@with_regions
def test_a_region_that_nobody_knows_is_kept(code: str) -> None:
    address = person(code, "1", {"region": "Atlantis"}).billing_address
    assert address["region"] == "Atlantis"
    assert country(code).accepts_postal_code(address["postal_code"])


def test_members_have_the_order_of_the_guide() -> None:
    assert list(person("US", "1", {"title": "Dr", "street_address2": "Floor 2"}).billing_address) == [
        "given_name",
        "family_name",
        "email",
        "title",
        "street_address",
        "street_address2",
        "postal_code",
        "city",
        "region",
        "phone",
        "country",
    ]
