"""A calendar year of listening as ten cards, private or shared by a link for a while."""
