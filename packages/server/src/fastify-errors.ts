/** What Fastify refuses, as the store's own errors. */
import { StoreError, toStoreError, type Issue } from "@sennit/core";

interface ValidationFailure {
  readonly instancePath: string;
  readonly message?: string;
  readonly params?: { readonly additionalProperty?: string };
}

interface FastifyFailure {
  readonly code?: string;
  readonly statusCode?: number;
  readonly message: string;
  readonly validation?: readonly ValidationFailure[];
  readonly validationContext?: string;
}

/** The error that says the same with a code of the store's. */
export function toServerError(error: unknown): StoreError {
  const { code, statusCode, message, validation, validationContext } = error as FastifyFailure;
  if (validation !== undefined) {
    const issues: Issue[] = validation.map(({ instancePath, message: text = "", params }) => ({
      pointer: instancePath,
      message: [text, params?.additionalProperty].filter((part) => part !== undefined).join(" "),
    }));
    const [first] = issues;
    return new StoreError(
      "request-invalid",
      `${placeOf(validationContext)} ${first?.pointer ?? ""} ${first?.message ?? ""}.`.replaceAll(
        /\s+/g,
        " ",
      ),
      { details: { part: validationContext, issues } },
    );
  }
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    return new StoreError("body-too-large", "The body is too large to be taken as a whole.");
  }
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") {
    const hint = "Say what the body is, with a header such as Content-Type: application/json";
    return new StoreError("media-type-unsupported", "The type of the body cannot be read.", {
      hint,
    });
  }
  if (code?.startsWith("FST_") === true && statusCode !== undefined && statusCode < 500) {
    return new StoreError("request-invalid", message);
  }
  return toStoreError(error);
}

function placeOf(context: string | undefined): string {
  if (context === "querystring") return "The query";
  if (context === "params") return "The path";
  return "The body";
}
