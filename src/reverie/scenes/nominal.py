"""The nominal benchmark, version 1: 80 scenes of the six families, each with its instruction. One literal table, `WORDINGS`.

Scene `i` of a family is number i of the split "nominal", which nothing collects: neither its places nor its hash is in any
training set (`tests/scenes/test_nominal.py`). Run three replicates (`REPLICATES`). A replicate changes the seed of the scene:
every thing is moved by up to 4 mm and turned by up to 0.05 rad, lids are opened by up to 0.12 rad more or less; and with it the
seeds of the policy's and the video world's noise. Scene, instruction and robot start stay.
"""

from dataclasses import replace

from reverie.core.errors import unknown_name
from reverie.core.scene import Scene
from reverie.scenes.tasks import FAMILIES, NOMINAL, draw_scene

VERSION, REPLICATES = 1, 3
PLAIN = ("plain", "")
"""As drawn from the training templates."""
WORDINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "put_in": (
        PLAIN,
        PLAIN,
        PLAIN,
        ("rephrased", "the yellow egg should be lying in the orange bowl when you are finished"),
        ("rephrased", "i would like the red ball to go inside the yellow box"),
        ("misspelt", "pick up teh purpel egg adn put it in the purple bxo"),
        ("misspelt", "mvoe the cyan eg into the purpl box"),
        ("german", "lege den gelben Stab in die gelbe Schüssel"),
        ("french", "mets la barre verte dans la boîte jaune"),
        (
            "more specific",
            "grasp the yellow can from above with both fingers, lift it well clear of the table and lower it into the middle "
            "of the blue box before you let go",
        ),
        ("less specific", "put the corner into the green one"),
        ("compositional", "put the orange thing that is not an egg into the bowl of the same colour"),
        ("compositional", "put the cube that has the colour of one of the boxes into that box"),
        PLAIN,
    ),
    "put_on": (
        PLAIN,
        PLAIN,
        PLAIN,
        ("rephrased", "the blue tray is where the purple bar goes"),
        ("rephrased", "get the purple brick onto the cyan plate for me"),
        ("misspelt", "move teh bleu cube onto the gren tray"),
        ("misspelt", "plase the ornage botle on the red palte"),
        ("spanish", "pon la barra verde sobre el plato amarillo"),
        ("german", "lege den orangefarbenen Ziegelstein auf das orangefarbene Tablett"),
        (
            "more specific",
            "pick up the green corner by one of its two arms, carry it over to the yellow plate and set it down gently in the "
            "middle of the plate",
        ),
        ("less specific", "put the bottle on the plate"),
        ("compositional", "move the only blue thing onto the red thing that is not a plate and not a brick"),
        ("compositional", "put the small thing that is neither yellow nor green on the blue thing that is not a box"),
    ),
    "move_beside": (
        PLAIN,
        PLAIN,
        PLAIN,
        ("rephrased", "let the green corner stand right at the side of the red bottle"),
        ("rephrased", "fetch the yellow brick, i want to see it and the purple brick side by side"),
        ("misspelt", "set the gren bottel down besides the green brik"),
        ("misspelt", "put the pruple brick next too the blue brcik"),
        ("french", "place le cube vert à côté de la canette verte"),
        ("spanish", "deja la lata naranja al lado de la pelota naranja"),
        (
            "more specific",
            "take the small orange ball between your fingers and set it down on the table two or three centimetres from the "
            "red egg, without touching the egg",
        ),
        ("less specific", "put the two eggs together"),
        ("compositional", "move the can that is not red next to the can that is"),
        ("compositional", "place the only orange thing close to the only red thing"),
    ),
    "stack": (
        PLAIN,
        PLAIN,
        PLAIN,
        ("rephrased", "the orange bottle is to stand on the yellow cube"),
        ("rephrased", "use the blue can as a base and rest the blue brick on it"),
        ("misspelt", "set the red cueb down on topp of the purple cube"),
        ("misspelt", "stak the blue brick on the yelow birck"),
        ("german", "stapele den violetten Stab auf den blauen Stab"),
        ("french", "empile la brique violette sur la brique cyan"),
        (
            "more specific",
            "lift the orange can straight up, hold it level over the middle of the orange brick and let it go only when it "
            "stands on the brick",
        ),
        ("less specific", "stack the purple cube on the other cube"),
        ("compositional", "take the can that has the colour of the plate and stack it on the green thing"),
        ("compositional", "stack the can on the brick that has the colour of one of the plates"),
    ),
    "close_laptop": (
        PLAIN,
        PLAIN,
        PLAIN,
        ("rephrased", "we are finished with the red laptop, so bring its lid down"),
        ("rephrased", "the orange laptop should not stay open"),
        ("misspelt", "clsoe the blue labtop"),
        ("misspelt", "shut teh yelow laptpo"),
        ("spanish", "cierra el portátil naranja"),
        ("german", "klappe den grünen Laptop zu"),
        (
            "more specific",
            "reach behind the open lid of the green laptop with closed fingers, push it forward and down until it lies flat on "
            "the keyboard, then take your hand away",
        ),
        ("less specific", "close the orange one"),
        ("compositional", "close the laptop that is not green"),
        ("compositional", "close the laptop that has the colour of one of the eggs"),
    ),
    "a_then_b": (
        PLAIN,
        PLAIN,
        PLAIN,
        (
            "rephrased",
            "before you lay the yellow egg on the cyan tray, the yellow bottle has to go into the cyan box",
        ),
        (
            "rephrased",
            "begin by getting the purple cube onto the blue plate; finish by resting the purple brick on the red cube",
        ),
        ("misspelt", "move the purple cub next to the yelow corner adn then put the green brikc in the oragne box"),
        ("misspelt", "frist put the orange bar on teh green plaet, then stack the orange brick on the bleu brick"),
        ("french", "pose l'œuf violet sur le plateau orange, puis mets la canette rouge à côté de la brique rouge"),
        ("spanish", "acerca la botella morada a la pelota amarilla y después pon la escuadra morada en el plato azul"),
        (
            "more specific",
            "first lift the orange cube, set it down in the middle of the cyan plate and let go of it; only then pick up the "
            "orange ball and lay it in the middle of the red plate",
        ),
        ("less specific", "put the can on the plate, then the cyan brick on the tray"),
        ("compositional", "put the egg on the tray, then put the bottle of the same colour into the box"),
        ("compositional", "put the corner in the cyan bowl, then the ball in the bowl that is still empty"),
        PLAIN,
    ),
}
"""family -> (kind of wording, instruction) by the number of the scene. Languages: German, French, Spanish."""


def nominal_scenes(*families: str) -> list[Scene]:
    """All 80, or those of some families, in the order of the table. Errors: ReverieError for a name that is no family."""
    for name in families:
        if name not in FAMILIES:
            raise unknown_name("family of the nominal benchmark", name, list(FAMILIES))
    return [_scene(f, i) for f in families or FAMILIES for i in range(len(WORDINGS[f]))]


def _scene(family: str, number: int) -> Scene:
    scene = draw_scene(family, NOMINAL, number)
    return replace(scene, instruction=WORDINGS[family][number][1] or scene.instruction)


def wording_of(scene: Scene) -> str:
    """The kind of wording of a scene of the benchmark, edited or not, by its id."""
    family, _, number = scene.id.split("/")
    return WORDINGS[family][int(number)][0]
