"""The consoles that Scalingo's client starts are shown by their name and user, never by their string."""

import pytest

from bot.reading.consoles import shown_command

HOST = "shop-123.postgresql.a.osc-fr1.scalingo-dbs.com"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (
            f"dbclient-fetcher pgsql && psql 'postgres://shop_123:pl-Um3@{HOST}:31000/shop_123?sslmode=prefer'",
            "pgsql-console shop_123",
        ),
        (
            f'dbclient-fetcher pgsql 15.4 && psql "postgresql://shop_123:pl-Um3@{HOST}:31000/shop_123"',
            "pgsql-console shop_123",
        ),
        (f"dbclient-fetcher pgsql; psql postgres://shop_123:p@l/U#m3@{HOST}/shop", "pgsql-console shop_123"),
        (f"dbclient-fetcher postgresql && PGPASSWORD=pl-Um3 psql -h {HOST} -U shop_123 shop", "pgsql-console shop_123"),
        (
            "dbclient-fetcher mysql && mysql --ssl -h db -P 3306 -u shop_1 --password=pl-Um3 shop",
            "mysql-console shop_1",
        ),
        ("dbclient-fetcher mysql && mysql -h db --password='pl Um3' --user=shop_1 shop", "mysql-console shop_1"),
        ("dbclient-fetcher mysql 8.0 && mysql --host=db -ushop_1 -ppl-Um3", "mysql-console shop_1"),
        ("dbclient-fetcher redis && redis-cli --tls -h db -p 31000 -a pl-Um3", "redis-console"),
        ("dbclient-fetcher redis 7.2 && redis-cli -a 'pl-Um3' -h db", "redis-console"),
        (
            "dbclient-fetcher mongo && mongo 'mongodb://shop_1:pl-Um3@a:1,b:2/shop?replicaSet=x' --tls",
            "mongo-console shop_1",
        ),
        ("dbclient-fetcher mongo 6 && mongosh mongodb+srv://shop_1:pl-Um3@a/shop", "mongo-console shop_1"),
        (
            "dbclient-fetcher influxdb && influx -host db -username shop_1 -password 'pl-Um3' -ssl",
            "influxdb-console shop_1",
        ),
        ("dbclient-fetcher influx && influx -password pl-Um3 -username shop_1 -host db", "influxdb-console shop_1"),
        ("dbclient-fetcher -q pgsql && psql", "pgsql-console"),
        ("dbclient-fetcher opensearch && opensearch-cli https://shop:pl-Um3@db", "opensearch-console shop"),
        ("dbclient-fetcher pgsql && psql 'postgres://:pl-Um3@db/shop'", "pgsql-console"),
        ("psql postgres://shop_1:pl-Um3@db/shop", "pgsql-console shop_1"),
        ("/usr/bin/mysql -u root -ppl-Um3x shop", "mysql-console root"),
        ("psql", "psql"),
        ("bundle exec rails console", "bundle exec rails console"),
        ("bash -c 'DB_PASSWORD=pl-Um34x ./run'", "bash -c 'DB_PASSWORD=•••••• ./run'"),
        ("", ""),
    ],
)
def test_what_is_shown_of_a_command(command: str, shown: str) -> None:
    assert shown_command(command) == shown
    assert "l-Um3" not in shown_command(command)
