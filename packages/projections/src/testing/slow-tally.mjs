/** The tally under another name, where another thread of Node can find it as it stands. */
export const slowTally = {
  name: "slow-tally",
  version: 1,
  tables: ["event", "count"],
  apply({ position, recordId }, rows) {
    const count = (rows.get("count", []) ?? 0) + 1;
    rows.put("count", [], count);
    rows.put("event", [position], `${count} ${recordId}`);
  },
};
