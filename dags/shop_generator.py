"""The shop's source system: what changed on a given day, as rows.

Pure and deterministic: `rows_for(day)` depends on nothing but the day, so a day can be loaded
again at any time and gives the same rows. Each row is a version of a record as it stood at the
end of that day. A day brings the orders placed on it and the older ones that something happened
to (shipped, completed, cancelled, returned, corrected), each with all of its items and payments,
the customers behind them, and the whole product catalogue.

Late corrections are part of it: a line is dropped or its quantity changed a day or two after the
order was placed, and a captured amount that was wrong is put right later. Products change price.

    python3 dags/shop_generator.py 2026-01-05     # prints how many rows each table gets
"""

from __future__ import annotations

# The generator keeps no secrets, and is a command too.
# ruff: noqa: S311, T201
import sys
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

Row = dict[str, Any]

ORDERS_PER_DAY = 150
KNOWN_CUSTOMERS = 900
LIFETIME_DAYS = 20  # no order changes later than this after it was placed
LOADED = {"customers": 5, "products": 0, "orders": 10, "order_items": 15, "payments": 20}

SCHEMA = "raw"
COLUMNS: dict[str, dict[str, str]] = {
    "customers": {
        "customer_id": "integer",
        "first_name": "varchar",
        "last_name": "varchar",
        "email": "varchar",
        "country_code": "varchar",
        "is_subscribed": "boolean",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
    "products": {
        "product_id": "integer",
        "sku": "varchar",
        "product_name": "varchar",
        "category_code": "varchar",
        "list_price_cents": "integer",
        "unit_cost_cents": "integer",
        "is_active": "boolean",
        "updated_at": "timestamp",
    },
    "orders": {
        "order_id": "bigint",
        "customer_id": "integer",
        "status": "varchar",
        "channel": "varchar",
        "shipping_cents": "integer",
        "ordered_at": "timestamp",
        "status_changed_at": "timestamp",
    },
    "order_items": {
        "order_item_id": "bigint",
        "order_id": "bigint",
        "line_number": "integer",
        "product_id": "integer",
        "quantity": "integer",
        "unit_price_cents": "integer",
    },
    "payments": {
        "payment_id": "bigint",
        "order_id": "bigint",
        "payment_method": "varchar",
        "status": "varchar",
        "amount_cents": "integer",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
}
for _columns in COLUMNS.values():
    _columns |= {"extracted_on": "date", "loaded_at": "timestamp"}

FIRST_NAMES = ("Ada", "Björn", "Camille", "Chidi", "Elena", "Fatima", "Hiro", "Inês", "Zoë")
LAST_NAMES = ("Andersson", "García", "Kowalski", "Müller", "O'Brien", "Okafor", "Patel", "Ünal")
COUNTRIES = ("DE", "FR", "GB", "ES", "IT", "NL", "SE", "PL", "US", "JP")
COUNTRY_WEIGHTS = (22, 16, 14, 10, 10, 8, 6, 5, 6, 3)
CATALOGUE = {
    "COFFEE": ("House Blend", "Espresso Roast", "Ethiopia Sidamo", "Colombia Huila", "Decaf"),
    "TEA": ("Earl Grey", "Sencha", "Darjeeling", "Mint", "Rooibos", "Oolong"),
    "MUG": ("Stoneware Mug", "Enamel Mug", "Travel Mug", "Espresso Cup"),
    "BREWER": ("French Press", "Pour Over Set", "Moka Pot", "Hand Grinder", "Kettle"),
    "SWEET": ("Dark Chocolate", "Almond Biscotti", "Honey", "Shortbread"),
}
PRICES = {"COFFEE": 1290, "TEA": 890, "MUG": 1650, "BREWER": 4400, "SWEET": 640}


@dataclass(frozen=True)
class Line:
    """One line of an order."""

    number: int
    product_id: int
    quantity: int
    unit_price_cents: int


@dataclass(frozen=True)
class Order:
    """The whole life of an order, decided when it is placed."""

    order_id: int
    customer_id: int
    channel: str
    method: str
    shipping_cents: int
    placed_at: datetime
    lines: tuple[Line, ...]
    failed_first: bool
    events: tuple[tuple[datetime, str], ...]
    corrected_at: datetime | None = None
    corrected_lines: tuple[Line, ...] = ()
    misbooked_cents: int = 0
    rebooked_at: datetime | None = None
    touched: frozenset[date] = field(default=frozenset())

    def status_at(self, end: datetime) -> tuple[datetime, str]:
        """When the last change of status before `end` happened, and to what."""
        return max((event for event in self.events if event[0] < end), key=lambda event: event[0])

    def lines_at(self, end: datetime) -> tuple[Line, ...]:
        """The lines as they stood just before `end`."""
        if self.corrected_at is not None and self.corrected_at < end:
            return self.corrected_lines
        return self.lines


def ddl() -> dict[str, str]:
    """Return the statement that creates each source table, by table name."""
    return {
        table: f"create table if not exists {SCHEMA}.{table} ("
        + ", ".join(f"{name} {kind}" for name, kind in columns.items())
        + ")"
        for table, columns in COLUMNS.items()
    }


def rows_for(day: date) -> dict[str, list[Row]]:
    """Return the rows that the source system delivers for `day`, by table name.

    Every row has the columns of `COLUMNS[table]` in that order. To load a day again, delete the
    rows `where extracted_on = day` first.
    """
    end = datetime.combine(day + timedelta(days=1), time())
    orders = [order for order in _orders_until(day) if day in order.touched]
    customers = sorted({order.customer_id for order in orders})
    tables = {
        "customers": [_customer_row(customer_id, end) for customer_id in customers],
        "products": [_product_row(product, end) for product in _products()],
        "orders": [_order_row(order, end) for order in orders],
        "order_items": [row for order in orders for row in _item_rows(order, end)],
        "payments": [row for order in orders for row in _payment_rows(order, end)],
    }
    for table, rows in tables.items():
        # The nightly extract starts at two in the morning after the day it covers.
        loaded_at = end + timedelta(hours=2, minutes=LOADED[table])
        for row in rows:
            row.update(extracted_on=day, loaded_at=loaded_at)
    return tables


def _orders_until(day: date) -> list[Order]:
    placed = [day - timedelta(days=age) for age in range(LIFETIME_DAYS, -1, -1)]
    return [_order(date_, number) for date_ in placed for number in range(_volume(date_))]


def _volume(day: date) -> int:
    weekend = 1.3 if day.weekday() >= 5 else 1.0
    return int(ORDERS_PER_DAY * weekend * Random(f"volume:{day}").uniform(0.85, 1.15))


def _order(day: date, number: int) -> Order:
    random = Random(f"order:{day}:{number}")
    placed_at = datetime.combine(day, time()) + timedelta(seconds=random.randrange(86_400))
    lines = _lines(random, placed_at)
    events = _lifecycle(random, placed_at)
    corrected_at, corrected = _correction(random, placed_at, lines)
    misbooked, rebooked_at = _misbooking(random, events)
    moments = [at for at, _ in events] + [at for at in (corrected_at, rebooked_at) if at]
    return Order(
        order_id=(day - date(2020, 1, 1)).days * 1000 + number,
        customer_id=_customer_of(random, day, number),
        channel=random.choices(("web", "app", "store"), (60, 30, 10))[0],
        method=random.choices(("card", "paypal", "invoice", "gift_card"), (55, 25, 12, 8))[0],
        shipping_cents=random.choice((0, 390, 390, 590)),
        placed_at=placed_at,
        lines=lines,
        failed_first=random.random() < 0.05,
        events=events,
        corrected_at=corrected_at,
        corrected_lines=corrected,
        misbooked_cents=misbooked,
        rebooked_at=rebooked_at,
        touched=frozenset(moment.date() for moment in moments),
    )


def _lifecycle(random: Random, placed_at: datetime) -> tuple[tuple[datetime, str], ...]:
    events = [(placed_at, "placed")]
    if random.random() < 0.03:
        return (*events, (placed_at + _hours(random, 1, 30), "cancelled"))
    shipped_at = placed_at + _hours(random, 6, 48)
    completed_at = shipped_at + _hours(random, 20, 110)
    events += [(shipped_at, "shipped"), (completed_at, "completed")]
    if random.random() < 0.04:
        events.append((completed_at + _hours(random, 48, 190), "returned"))
    return tuple(events)


def _correction(
    random: Random, placed_at: datetime, lines: tuple[Line, ...]
) -> tuple[datetime | None, tuple[Line, ...]]:
    if random.random() >= 0.03:
        return None, lines
    if len(lines) > 1:
        corrected = lines[:-1]
    else:
        line = lines[0]
        corrected = (Line(line.number, line.product_id, line.quantity + 1, line.unit_price_cents),)
    return placed_at + _hours(random, 2, 40), corrected


def _misbooking(
    random: Random, events: tuple[tuple[datetime, str], ...]
) -> tuple[int, datetime | None]:
    captured = [at for at, status in events if status == "shipped"]
    if not captured or random.random() >= 0.015:
        return 0, None
    return random.randrange(1, 500), captured[0] + _hours(random, 24, 70)


def _lines(random: Random, at: datetime) -> tuple[Line, ...]:
    products = random.sample(_products(), random.choices((1, 2, 3, 4), (40, 32, 18, 10))[0])
    return tuple(
        Line(
            number=number,
            product_id=product["product_id"],
            quantity=random.choices((1, 2, 3, 5), (64, 24, 9, 3))[0],
            unit_price_cents=_price(product, at)[0] * random.choice((100, 100, 100, 90)) // 100,
        )
        for number, product in enumerate(products, 1)
    )


def _customer_of(random: Random, day: date, number: int) -> int:
    if random.random() < 0.12:
        return 100_000 + ((day - date(2020, 1, 1)).days % 10_000) * 1000 + number
    return int(random.triangular(1, KNOWN_CUSTOMERS, 1))


def _customer_row(customer_id: int, end: datetime) -> Row:
    random = Random(f"customer:{customer_id}")
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    created_at = _signed_up(random, customer_id)
    changed_at, subscribed = _subscription(customer_id, created_at, end)
    return {
        "customer_id": customer_id,
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}.{customer_id}@example.com".lower().replace("'", ""),
        "country_code": random.choices(COUNTRIES, COUNTRY_WEIGHTS)[0],
        "is_subscribed": subscribed,
        "created_at": created_at,
        "updated_at": changed_at,
    }


def _signed_up(random: Random, customer_id: int) -> datetime:
    if customer_id < 100_000:
        return datetime(2023, 1, 1) + timedelta(seconds=random.randrange(700 * 86_400))
    return datetime(2020, 1, 1) + timedelta(days=(customer_id - 100_000) // 1000)


def _subscription(customer_id: int, created_at: datetime, end: datetime) -> tuple[datetime, bool]:
    """When the customer last decided about the newsletter, and how."""
    today = (end - timedelta(seconds=1)).date()
    for age in range(30):
        day = today - timedelta(days=age)
        random = Random(f"mind:{customer_id}:{day}")
        decided_at = datetime.combine(day, time()) + timedelta(seconds=random.randrange(86_400))
        if random.random() < 0.04 and decided_at > created_at:
            return decided_at, random.random() < 0.5
    return created_at, Random(f"mind:{customer_id}").random() < 0.5


def _products() -> list[Row]:
    names = [(category, name) for category, names in CATALOGUE.items() for name in names]
    return [
        {"product_id": number, "category_code": category, "product_name": name}
        for number, (category, name) in enumerate(names, 1)
    ]


def _price(product: Row, at: datetime) -> tuple[int, datetime]:
    """The list price in cents at a moment, and since when. One product in six moves each day."""
    base = PRICES[product["category_code"]] + 37 * product["product_id"]
    for age in range(60):
        day = at.date() - timedelta(days=age)
        random = Random(f"price:{product['product_id']}:{day}")
        changed_at = datetime.combine(day, time(hour=random.randrange(5)))
        if random.random() < 1 / 6 and changed_at <= at:
            return base * random.randrange(90, 116) // 100, changed_at
    return base, datetime(2023, 1, 1)


def _product_row(product: Row, end: datetime) -> Row:
    cents, since = _price(product, end - timedelta(seconds=1))
    base = PRICES[product["category_code"]] + 37 * product["product_id"]
    return {
        "product_id": product["product_id"],
        "sku": f"{product['category_code'][:3]}-{product['product_id']:03d}",
        "product_name": product["product_name"],
        "category_code": product["category_code"],
        "list_price_cents": cents,
        "unit_cost_cents": base * 55 // 100,
        "is_active": product["product_id"] % 11 != 0,
        "updated_at": since,
    }


def _order_row(order: Order, end: datetime) -> Row:
    changed_at, status = order.status_at(end)
    return {
        "order_id": order.order_id,
        "customer_id": order.customer_id,
        "status": status,
        "channel": order.channel,
        "shipping_cents": order.shipping_cents,
        "ordered_at": order.placed_at,
        "status_changed_at": changed_at,
    }


def _item_rows(order: Order, end: datetime) -> list[Row]:
    return [
        {
            "order_item_id": order.order_id * 10 + line.number,
            "order_id": order.order_id,
            "line_number": line.number,
            "product_id": line.product_id,
            "quantity": line.quantity,
            "unit_price_cents": line.unit_price_cents,
        }
        for line in order.lines_at(end)
    ]


def _payment_rows(order: Order, end: datetime) -> list[Row]:
    changed_at, status = order.status_at(end)
    total = sum(line.quantity * line.unit_price_cents for line in order.lines_at(end))
    total += order.shipping_cents
    misbooked = order.rebooked_at is not None and order.rebooked_at >= end
    settled = {"placed": "authorised", "cancelled": "voided", "returned": "refunded"}
    state = settled.get(status, "captured")
    if state == "captured" and misbooked:
        total -= order.misbooked_cents
    if order.rebooked_at is not None and changed_at < order.rebooked_at < end:
        changed_at = order.rebooked_at
    attempts = [("failed", order.placed_at)] if order.failed_first else []
    attempts.append((state, changed_at))
    return [
        {
            "payment_id": order.order_id * 10 + number,
            "order_id": order.order_id,
            "payment_method": order.method,
            "status": attempt,
            "amount_cents": total,
            "created_at": order.placed_at + timedelta(minutes=2 * number),
            "updated_at": max(at, order.placed_at + timedelta(minutes=2 * number)),
        }
        for number, (attempt, at) in enumerate(attempts, 1)
    ]


def _hours(random: Random, low: int, high: int) -> timedelta:
    return timedelta(minutes=random.randrange(low * 60, high * 60))


if __name__ == "__main__":
    for name, delivered in rows_for(date.fromisoformat(sys.argv[1])).items():
        print(f"{name:12} {len(delivered):6,}")
