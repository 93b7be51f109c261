"""Colour: sentences that make a document pleasant to read and state no fact of the world.

Slots are filled from vocabulary.SLOTS. Sentences about people are in lives.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from training.world.lives import LIVES

COLOUR: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **LIVES,
        "town": (
            "The market is held every {weekday} on the square below the {tree} trees, and it starts so early "
            "that the bakers sell by lamplight.",
            "Most of the old houses are built of {stone}, with shutters that are repainted each {season}.",
            "A narrow flight of steps leads from the quay to {street}, and in winter children race down it "
            "on kitchen trays.",
            "Visitors are advised to try the {dish}, which every family makes in a slightly different way.",
            "In {season} the mist stays in the streets until noon, and the lamps are left burning for it.",
            "The town hall clock has run {few} minutes late for as long as anyone can remember, and the "
            "council has twice voted against correcting it.",
            "A row of {tree} trees along the embankment marks the height of the great flood.",
            "The school, the fire station and the reading room share a single courtyard.",
            "There is one hotel, with {few} rooms, and a boarding house run by two sisters.",
            "Older residents still greet strangers by asking which road they came by.",
            "The guild of {craft} keeps a small hall near {street}, open to anyone who knocks.",
            "The fire brigade rehearses on the first {weekday} of the month, to the delight of "
            "everybody under "
            "the age of ten.",
            "The road inland is good in dry weather and a matter of opinion in any other.",
            "A stone {animal} over the east gate is touched for luck by people who are about to travel.",
            "The allotments behind {street} are admired for their onions.",
            "On winter evenings the brass band practises in the granary, and the sound carries far across "
            "the water.",
            "There are {few} public wells, each with its own iron cup on a chain.",
            "House numbers follow the order in which the houses were built, so that number one stands in the "
            "middle of the square.",
            "Fishing from the embankment is allowed on every day but {weekday}.",
            "The parish register is written in {few} different hands and is unusually complete.",
            "Since the tannery closed the air has been much praised, especially by those who "
            "remember it before.",
            "The by-laws forbid whistling on the weir, for reasons nobody has written down.",
            "A public garden with a {tree} walk was laid out on the site of the old ditch.",
            "The bakery on {street} closes when the bread is gone, which is generally before nine.",
            "Every {season} the shopkeepers wash the square together and eat at one long table afterwards.",
            "The pharmacist keeps a list of every dog in town and its opinion of the postman.",
            "Rooms with a view of the water cost a little more, and rooms above the bakery a little less.",
            "Two bells are rung at noon, because the parishes could never agree on the time.",
            "The cinema opens in {season} only and shows each film until somebody complains.",
            "A painted sundial on {street} bears the words: late again.",
            "The chess club meets in the waiting room, so that nobody can say it has missed a boat "
            "on purpose.",
            "The old customs house now holds a nursery school, a dentist and the pigeon club.",
        ),
        "river": (
            "The upper valley is steep and wooded, the lower one broad, with water meadows on both sides.",
            "In dry years the bed can be crossed on foot above the mills.",
            "Mist gathers on it before dawn and is gone when the first boat passes.",
            "Trout are caught in the upper reaches and eel in the lower.",
            "Its floods come when the snow goes from the hills within a few days, and the farmers keep their "
            "boats in the hay loft for that week.",
            "A towpath follows the left bank and is popular with walkers in {season}.",
            "The water is soft and slightly brown, a quality that dyers used to value.",
            "Kingfishers are common below the {tree} woods.",
            "A century ago it drove {few} mills; one of them still grinds flour.",
            "The gravel banks shift every year, and the pilots redraw their charts each {season}.",
            "In a hard winter ice closes the lower reach for {few} weeks.",
            "The river police, two officers and a dog, are stationed at the old lock.",
            "Rafts of timber used to come down with the spring water, steered by families who lived on them.",
            "Washing was done on the flat stones by the fords, and so was most of the talking.",
            "At {few} places the bank is protected by willow mats that must be renewed each {season}.",
            "Otters have returned and are blamed for everything.",
            "The old ferry ropes can still be seen, green and useless, on the deeper bends.",
            "Swimmers are warned about the pool below the {tree} trees, where the current turns "
            "back on itself.",
            "The level is read every morning by a schoolchild and telegraphed, these days by "
            "telephone, to the mills.",
            "Songs about it are numerous and, according to the music teacher, all have the same tune.",
        ),
        "lake": (
            "The south shore is reed and mud, the north shore rock, and the two have different birds.",
            "Its water is clear enough to count the stones under a boat.",
            "The ferry pilots speak of it in the feminine and with respect.",
            "Sudden squalls come down from the hills on hot afternoons, and a flag is hoisted on the mole.",
            "Herring-like fish, found nowhere else, are smoked over {tree} wood and sold by the dozen.",
            "Skaters cross it in cold years with a rope, a ladder and a flask of soup.",
            "A regatta for home-made boats is rowed each {season}; sinking is not a disqualification.",
            "Early maps draw it twice as long as it is, probably out of politeness to the mapmaker's patron.",
        ),
        "public": (
            "It is closed on {weekday}s and during the first week of {season}.",
            "The building, once a granary, was extended twice and still smells faintly of oats.",
            "The statutes fill {few} pages and are read aloud once a year.",
            "Guests sign a book that has been kept without a gap since the first day.",
            "Its archive survived a fire because a porter threw it out of the window, box by box.",
            "Volunteers look after the garden and the {tree} hedge.",
            "Meetings begin with tea and, by custom, end before the lamps are lit.",
            "The budget is small, and most repairs are done by members with the right tools.",
            "School classes are admitted free on {weekday} mornings.",
            "The cellar holds an old hand press, several bicycles and a stuffed {animal}.",
            "A second courtyard was roofed with glass and now serves as a lecture room.",
            "It publishes a yearbook with a yellow cover, much consulted and rarely bought.",
            "The emblem above the door is a crowned {animal} with a key.",
            "Lunch is taken together at one long table, and on {weekday}s there is {dish}.",
            "Relations with the town council have been cordial since the matter of the drainpipe "
            "was settled.",
        ),
        "works": (
            "Work begins at six with a bell that was salvaged from a wreck.",
            "Orders are entered in a ledger as tall as a child.",
            "Apprentices are paid by the week and fed by the day.",
            "The sheds stand open to the wind on two sides, which is unpleasant and necessary.",
            "A strike in the early years was settled by the offer of a second stove.",
            "The foremen's families live in a row of cottages along {street}.",
            "New hands are tested with a riddle, a rope and a plate of {dish}.",
            "Accidents are rare and are discussed at length on {weekday} mornings.",
            "The owners' dog, a descendant of the first one, inspects every delivery.",
            "In {season} the gates are kept open until dark, and neighbours come to look.",
            "Customers come from all over the province and wait, as a rule, for months.",
            "Nothing leaves the gate before {few} people have signed for it.",
            "On the last {weekday} of the year the floor is swept by the owners themselves.",
        ),
        "book": (
            "It is a book for slow readers: nothing is explained, and everything is mentioned twice.",
            "The plot turns on a lost key, a flooded cellar and {few} cousins who refuse to speak "
            "to one another.",
            "The chapters on {craft} are the best of their kind.",
            "One sees the weather on every page.",
            "The dialogue has the short, patient rhythm of people who work with their hands.",
            "Readers wrote in to ask whether the aunt was real; she was.",
            "The binding is plain grey cloth, and the paper is better than it had to be.",
            "A second edition corrected the map but kept the spelling.",
            "Schoolchildren know the opening page by heart, though few of them finish the book.",
            "Its one weakness is the last chapter, which arrives like a relative with too much luggage.",
            "The dedication reads, in full: to the person who mended the stove.",
            "What stays in the mind is the smell of tar and the sound of a door that will not close.",
            "The critics of the day found the humour too dry, which is now its chief charm.",
            "Several scenes were set to music by a schoolmaster, who sang all the parts himself.",
        ),
        "bridge": (
            "The foundations rest on oak piles driven deep into the gravel.",
            "The parapets are of {stone}, worn smooth at the height of an elbow.",
            "Carts were charged a toll until the debt had been paid off.",
            "Inspectors walk the structure every {season} with a hammer and a notebook.",
            "Swifts nest under the second arch, and work is forbidden there while they do.",
            "The ironwork was cast in sections and brought up by barge.",
            "A plaque in the middle gives the height of the {few} worst floods.",
            "During construction the workmen lived on two moored barges and grew beans on the decks.",
            "The lamps were converted from oil to gas, and later to electricity, without changing "
            "their shape.",
            "Lovers, anglers and the tax collector used to share the benches on the downstream side.",
            "The mortar was mixed with goat's milk, if the carters' stories are to be believed.",
            "Heavy vehicles have been kept off it since the last repair of the bearings.",
        ),
        "expedition": (
            "The stores were packed in numbered crates, and the list of their contents fills a small book.",
            "Rain delayed the first march by {few} days.",
            "Dogs were taken for company rather than for work.",
            "The cook, who had never left the province before, proved the toughest of them all.",
            "Maps were drawn in the evenings on the lid of the medicine chest.",
            "One chronometer stopped in the cold and was carried home inside a loaf.",
            "The plant collection suffered from damp, but the sketches came back dry.",
            "Sickness broke out in the second month and passed as quickly as it had come.",
            "Songs were forbidden on the ice after the second avalanche.",
            "The return journey was easier, because most of the stores had been eaten.",
            "The party met one other traveller, who asked for salt and gave directions in exchange.",
            "A cairn was built at the farthest camp, and a tin box with names was left inside.",
            "Nobody was lost, a fact of which they were prouder than of the map.",
        ),
        "instrument": (
            "The case is of {tree} wood, darkened by lamp smoke and polish.",
            "It was taken apart once, during a war of which the records say nothing more.",
            "The original drawings fill {few} sheets and are stained with coffee.",
            "A rival town once tried to buy it and was shown the stairs.",
            "The brass is polished twice a year by the {craft}, who will not hear of payment.",
            "In damp weather it is left alone; in dry weather it is played, turned or looked through.",
            "Mice have been a greater danger to it than either fire or fashion.",
            "A caretaker oils the bearings every {weekday} and writes the date on the door frame.",
            "Visitors may touch the wooden parts but not the brass.",
            "The mechanism is simple, and that is why it still works.",
            "An inscription on the inside of the lid asks the next repairer to be patient.",
            "Two attempts to modernise it were made, and both were quietly undone.",
            "Its sound is described in old letters as that of a kind uncle clearing his throat.",
        ),
    }
)
