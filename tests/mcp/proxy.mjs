// Stands between the conformance suite, which knows no tokens, and the endpoint, which answers nobody without one: adds the token, and
// changes nothing else. A host or an origin that is this proxy's becomes the endpoint's; any other goes through as it came.

import http from "node:http";

const target = new URL(process.env.HUBKEEP);
const server = http.createServer((request, response) => {
  const own = `127.0.0.1:${server.address().port}`;
  const headers = { ...request.headers, authorization: `Bearer ${process.env.TOKEN}` };
  if ([own, own.replace("127.0.0.1", "localhost")].includes(headers.host)) headers.host = target.host;
  if (headers.origin && new URL(headers.origin).host === own) headers.origin = target.origin;
  const onward = http.request({ host: target.hostname, port: target.port, method: request.method, path: request.url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
