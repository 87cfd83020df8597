// A server over HTTP, by cpp-httplib, whose threads share one model: POST a table as CSV to /predict, with a header,
// and get what the model predicts, as CSV. Arguments: the model, for instance flats.oxb, which the example `flats`
// writes; the port, 0 for any that is free.
#include <httplib.h>
#include <oxbow/oxbow.h>

#include <cstdlib>
#include <iostream>

using namespace oxbow;

int main(int argc, char** argv) try {
  // Requests come side by side, so each runs on the thread that has it.
  const SavedModel model = load_model(argc > 1 ? argv[1] : "flats.oxb", {.pool = Pool(1)});
  const CsvOptions columns = model.columns() ? model.columns()->csv_options() : CsvOptions{};
  httplib::Server server;
  server.set_tcp_nodelay(true);  // answers are small, and sent at once
  server.Post("/predict", [&](const httplib::Request& request, httplib::Response& response) {
    try {
      const Table asked = parse_csv(request.body, columns, "the request");
      response.set_content(to_csv(model.table(model.predict(asked))), "text/csv");
    } catch (const Error& e) {  // a column that is missing, a word where a number belongs: the client is told
      response.status = 400;
      response.set_content(std::string(e.what()) + "\n", "text/plain");
    }
  });
  const int asked = argc > 2 ? std::atoi(argv[2]) : 8080;
  const int port = asked > 0 ? asked : server.bind_to_any_port("127.0.0.1");
  if (asked > 0 && !server.bind_to_port("127.0.0.1", asked))
    throw Error("cannot listen at port " + std::to_string(asked));
  std::cout << "listening at http://127.0.0.1:" << port << "/predict" << std::endl;
  server.listen_after_bind();
} catch (const Error& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
