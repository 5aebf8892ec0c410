/** The shape of a durable subscription. */
import { Type } from "typebox";

import { nullable, position } from "./common.ts";
import { eventType } from "./store.ts";

export const subscriptionFilter = Type.Object(
  {
    types: Type.Optional(Type.Array(eventType, { minItems: 1, maxItems: 3 })),
    kinds: Type.Optional(
      Type.Array(Type.String({ maxLength: 512 }), { minItems: 1, maxItems: 100 }),
    ),
    recordId: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
    recordIdPrefix: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
  },
  { additionalProperties: false, description: "All that is given must fit; nothing fits all." },
);

export const subscription = Type.Object({
  name: Type.String(),
  maker: nullable(
    Type.String({ description: "The actor that made it; null where nobody had a credential." }),
  ),
  filter: subscriptionFilter,
  from: position,
  acknowledged: position,
  delivered: position,
  lag: Type.Integer({ minimum: 0, description: "Events after what is acknowledged." }),
  createdAt: Type.String(),
});

export const subscriptionList = Type.Object({ subscriptions: Type.Array(subscription) });
