package somewhere

const engine, fixture, member = "MERIDIAN_TEST_SQL_URL", "MERIDIAN_FIXTURE", "meridian_fixture_total"
