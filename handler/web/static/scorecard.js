export function showScorecard() {}
