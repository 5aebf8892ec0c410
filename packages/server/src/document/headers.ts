/** Headers that requests and answers of many routes have. */

const text = { type: "string" };
const position = { type: "integer", minimum: 0 };

/** Of answers, by their names. */
export const headers = {
  "Sennit-Position": {
    description: "The position that the answer speaks for.",
    schema: position,
  },
  ETag: {
    description: "Names the answer in this form. Answers of more than 1 MiB have none.",
    schema: text,
  },
  "Cache-Control": {
    description: "As of a fixed instant an answer may be kept for good; any other is asked again.",
    schema: text,
  },
  Vary: { description: "The headers of the request that the answer depends on.", schema: text },
  Link: {
    description: 'With rel="next": the request for what comes behind this page.',
    schema: text,
  },
  "Retry-After": { description: "Seconds after which to try again.", schema: position },
};

/** A request may demand that its answer speaks for a log of at least this length. */
export const minPositionParameter = {
  name: "Sennit-Min-Position",
  in: "header",
  required: false,
  description: "The log has to be at least this long. It is waited for a little.",
  schema: position,
};

/** A request may name the answers that the caller has. */
export const noneMatchParameter = {
  name: "If-None-Match",
  in: "header",
  required: false,
  description: "Tags of answers that the caller has: for one of them, 304 is the answer.",
  schema: text,
};
