/** Limits that do not get in the way of a test or a measurement, and cost what they cost. */
export const unlimitedEnv = {
  READS_PER_MINUTE_MAX: '1000000',
  SEARCHES_PER_MINUTE_MAX: '1000000',
  WRITES_PER_MINUTE_MAX: '1000000',
  SIGN_INS_PER_MINUTE_MAX: '1000000',
  SIGN_UPS_PER_HOUR_MAX: '1000000',
  SIGN_IN_FAILURES_MAX: '1000000',
  REQUESTS_IN_FLIGHT_MAX: '100000',
};
