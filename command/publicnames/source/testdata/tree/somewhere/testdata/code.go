package ignored

const name = "MERIDIAN_IN_TESTDATA"
