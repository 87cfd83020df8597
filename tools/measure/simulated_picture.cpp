#include <fmt/format.h>

#include "dump/style.h"
#include "measure/profile_report.h"
#include "measure/simulate.h"

namespace oxbow::tools {

std::string picture(const Plan& plan, const Simulated& run, int cores, const std::string& title) {
  constexpr double width = 960, left = 60, right = 12, top = 56, lane = 22;
  const double bottom = top + lane * cores, scale = (width - left - right) / std::max(run.ns, 1.0);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\">\n"
      "<style>svg{{background:#fff}}text{{font:12px sans-serif;fill:#333}}.t{{font-size:15px;font-weight:600}}"
      ".g{{stroke:#ddd}}rect{{stroke:#fff;stroke-width:.4}}</style>\n"
      "<text class=\"t\" x=\"{2}\" y=\"20\">{3}</text>\n",
      width, bottom + 30, left, dots::marked_up(title));
  double x = left;
  for (const Phase phase : {Phase::forward, Phase::backward, Phase::update}) {
    out += fmt::format(
        "<rect x=\"{}\" y=\"30\" width=\"12\" height=\"12\" fill=\"{}\"/><text x=\"{}\" y=\"41\">{}</text>\n", x,
        dots::palette(phase).line, x + 18, name(phase));
    x += 100;
  }
  for (int c = 0; c < cores; ++c)
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", left - 8, top + lane * c + 15, c);
  for (int tick = 0; tick <= 8; ++tick) {
    const double at = left + (width - left - right) * tick / 8;
    out += fmt::format(
        "<path class=\"g\" d=\"M{0:.1f} {1}V{2}\"/><text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"{4}\">{5}</text>\n", at,
        top, bottom, bottom + 18, tick == 8 ? "end" : "middle", dots::time_text(run.ns * tick / 8));
  }
  for (const Simulated::Event& e : run.events) {
    const Plan::Group& group = plan.groups[plan.group_of_task[e.task]];
    const NodeId node = plan.steps[group.first].node;
    const Phase phase = node < 0 ? Phase::update : plan.graph->node(node).origin().phase;
    std::string what = describe(*plan.graph, node);
    if (group.last - group.first > 1) what += fmt::format(" and {} steps more", group.last - group.first - 1);
    out += fmt::format(
        "<rect x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\" fill=\"{}\"><title>{}, {}</title></rect>\n",
        left + scale * e.begin, top + lane * e.core + 2, scale * (e.end - e.begin), lane - 4, dots::palette(phase).line,
        dots::marked_up(what), dots::time_text(e.end - e.begin));
  }
  return out + "</svg>\n";
}

}  // namespace oxbow::tools
