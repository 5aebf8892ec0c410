/** Holds requests and answers to an OpenAPI document. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly explode?: boolean;
  readonly schema: Schema;
  readonly $ref?: string;
}

/** As much of a JSON Schema as is looked at. */
interface Schema {
  readonly type?: string;
  readonly items?: Schema;
  readonly propertyNames?: { readonly pattern: string };
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

interface RawOperation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Operation extends RawOperation {
  readonly method: string;
  readonly path: string;
}

/** An answer as it came. */
export interface Answered {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}

export class Contract {
  readonly operations: readonly Operation[];
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #document: OpenApi;

  constructor(document: OpenApi) {
    this.#document = document;
    this.#ajv.addSchema({ ...document, $id: "document" });
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        ...operation,
        method: method.toUpperCase(),
        path,
      })),
    );
  }

  /** What a reference into the document names, or what is given if it is none. */
  resolve<T extends { readonly $ref?: string }>(given: T): T {
    if (given.$ref === undefined) return given;
    const [, , kind = "", name = ""] = given.$ref.split("/");
    return this.#document.components[kind]?.[name] as T;
  }

  /** The operation that a request is for; paths without parameters go before those with some. */
  operationFor(method: string, pathname: string): Operation | undefined {
    const fits = this.operations.filter(
      (operation) => operation.method === method && pathPattern(operation.path).test(pathname),
    );
    return fits.toSorted((a, b) => a.path.split("{").length - b.path.split("{").length)[0];
  }

  /** What is wrong with a request. */
  requestProblems(
    operation: Operation,
    url: URL,
    body: string | undefined,
    type: string | null,
  ): string[] {
    const { requestBody, path, method } = operation;
    const parameters = (operation.parameters ?? []).map((parameter) => this.resolve(parameter));
    const place = `${method} ${path}`;
    const problems: string[] = [];
    const inQuery = parameters.filter((parameter) => parameter.in === "query");
    for (const name of new Set(url.searchParams.keys())) {
      const index = parameters.findIndex(
        (parameter) => parameter.in === "query" && takes(parameter, name),
      );
      const parameter = parameters[index];
      if (parameter === undefined) problems.push(`${place} does not take ${name}`);
      else
        problems.push(
          ...this.#parameterProblems(operation, index, name, url.searchParams.getAll(name)),
        );
    }
    for (const { name, required } of inQuery) {
      if (required === true && !url.searchParams.has(name)) problems.push(`${place} needs ${name}`);
    }
    if (body === undefined) return problems;
    const media = (type ?? "").split(";")[0] ?? "";
    if (requestBody?.content[media] === undefined)
      return [...problems, `${place} does not take ${media}`];
    if (media !== "application/json") return problems;
    const pointer = `${pointerOf(operation)}/requestBody/content/${escape(media)}/schema`;
    return [...problems, ...this.#problems(pointer, JSON.parse(body), `the body of ${place}`)];
  }

  /** What is wrong with an answer. */
  answerProblems(operation: Operation, { status, contentType, text }: Answered): string[] {
    const place = `${status} of ${operation.method} ${operation.path}`;
    if (status === 304) return text === "" ? [] : [`${place} has a body`];
    const response = operation.responses[status];
    if (response === undefined) return [`${place} is not declared`];
    if (response.content === undefined) return text === "" ? [] : [`${place} has a body`];
    const media = (contentType ?? "").split(";")[0]?.trim() ?? "";
    const declared = response.content[media];
    if (declared === undefined) return [`${place} is of a type that is not declared: ${media}`];
    if (!media.endsWith("json") || media.endsWith("ndjson")) return [];
    const pointer = `${pointerOf(operation)}/responses/${status}/content/${escape(media)}/schema`;
    return this.#problems(pointer, JSON.parse(text), place);
  }

  #parameterProblems(
    operation: Operation,
    index: number,
    name: string,
    texts: readonly string[],
  ): string[] {
    const { schema, explode } = (operation.parameters ?? [])[index] ?? { schema: {} };
    const pointer = `${pointerOf(operation)}/parameters/${index}/schema`;
    const value = explode === true ? { [name]: texts[0] } : valueOf(schema, texts);
    return this.#problems(pointer, value, `${name} of ${operation.operationId}`);
  }

  #problems(pointer: string, value: unknown, place: string): string[] {
    let validate = this.#validators.get(pointer);
    if (validate === undefined) {
      validate = this.#ajv.compile({ $ref: `document#${pointer}` });
      this.#validators.set(pointer, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${place}: ${instancePath} ${message ?? ""}`,
    );
  }
}

function takes({ name, explode, schema }: Parameter, given: string): boolean {
  if (explode !== true) return name === given;
  return new RegExp(schema.propertyNames?.pattern ?? "^$", "u").test(given);
}

/** What the texts of a parameter mean. */
function valueOf(schema: Schema, texts: readonly string[]): unknown {
  if (schema.type === "array") return texts.map((text) => valueOf(schema.items ?? {}, [text]));
  const [text = ""] = texts;
  if (schema.type === "integer" || schema.type === "number") return Number(text);
  return schema.type === "boolean" && /^(true|false)$/.test(text) ? text === "true" : text;
}

function pathPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, "[^/]*")}$`);
}

function pointerOf({ path, method }: Operation): string {
  return `/paths/${escape(path)}/${method.toLowerCase()}`;
}

/** A part of a JSON pointer that stands in a URI. */
function escape(part: string): string {
  return encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
}
