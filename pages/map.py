"""The theory on one page: what is a special case of what, how much each asks for, and the sign."""

from ui import story
from ui.map import counting, graph, sign
from ui.window import address

BAR = {"graph": "The map", "words": "In words", "counting": "How many it takes",
       "sign": "Signal and nuisance"}  # fmt: skip

address.declare(
    address.choice(story.PART, BAR, "The part", "graph", BAR.get),
    *counting.SETTINGS,
    *address.EVERYWHERE,
)
address.sync()
part = address.get(story.PART)
story.title("One family: when latents are identified")
story.bar(BAR, part)
story.refused(address.refusals())
if part == "graph":
    graph.show()
elif part == "words":
    graph.in_words()
elif part == "counting":
    counting.show()
else:
    sign.show()
address.sync()
