/** What predicts a series. */
export interface Forecaster {
  /** Of the method, with what was chosen: "autoregression of 14 lags". */
  readonly name: string;
  /**
   * For each origin t the forecasts of `values[t]` to `values[t + horizon - 1]` from the values
   * before t. Values from t on are never read, so an origin may be the length of the series.
   */
  forecast(
    values: Float64Array,
    origins: readonly number[],
    horizon: number,
  ): readonly Float64Array[];
}
