"""The words that the demo's people, companies and products are made of. All are invented.

Addresses are at the domains that RFC 2606 reserves for examples. Phone numbers are from ranges that regulators keep for
fiction: 555-01xx (NANPA), 07700 900xxx (Ofcom), 06 39 98 xx xx (ARCEP), 030 23125 xxx (Bundesnetzagentur).
"""

from __future__ import annotations


def _words(text: str) -> list[str]:
    return text.split()


FIRST_NAMES = _words("""
    Ada Aisha Alba Alma Amir Anders Anika Arjun Astrid Benno Bilal Bruno Carla Cem Chloe Dana Daria Dev Diego
    Dina Edda Elif Elio Emil Enzo Esra Eva Farah Felix Finn Freya Gia Hana Hugo Ida Ines Iris Ivan Jana Joel
    Jonas Juno Kaito Kim Lars Lea Leo Lina Lior Luca Mae Maja Malik Mara Marco Mateo Mei Mila Mina Nadia Naomi
    Nia Nils Noor Nora Olga Omar Otto Paul Petra Priya Quinn Ravi Rhea Rosa Ruben Sami Sara Sena Silas Sofia
    Tara Theo Tiago Uma Vera Wim Yara Yuki Zoe
""")
LAST_NAMES = _words("""
    Abel Achter Adeyemi Alder Amsel Anand Arden Aster Bakker Barlow Becker Bergin Birk Blume Brandt Brook Calder
    Carver Castell Chandra Clay Corvi Dahl Daring Decker Dorn Drew Eklund Ellery Falk Farrow Fenn Ferro Flint
    Forsberg Gale Garrick Gruen Hale Harrow Hartwell Hazel Hollis Holm Ibarra Iqbal Jansen Jory Kaya Keller
    Kestrel Khan Kovac Lark Larsson Lind Lowell Maddox Marlow Marsh Mendes Moreau Nakai Nash Nilsen Novak Oakes
    Okafor Olsen Orchard Osei Pane Park Pellar Quist Ramos Rao Reed Ridley Rook Rossi Sato Sayer Seeley Singh
    Sorrel Stark Stone Tamm Tanaka Thorne Tide Torres Underhill Vale Varga Vogel Wahl Weir Wilder Winter Wolff
    Yilmaz Young Zeller
""")
COMPANY_FIRST = _words("""
    Alderbrook Amberly Ashgrove Basalt Birchline Bluefern Brightwater Cedarpoint Clearmoor Cobaltine Copperleaf
    Cresthill Driftwood Eastlight Emberton Fairhaven Fernwood Foxglove Glasswing Goldenrod Graniteway Greyfield
    Harborlight Hawkmoor Heatherly Highmeadow Ironbark Juniperly Kestrelton Lakeshore Larkspur Lindenhof
    Maplestone Marigold Moonridge Northwind Oakhaven Pinecrest Quartzline Redwillow Riverbend Rowanfield
    Sandpiper Silverbirch Stonebridge Sunfield Thistledown Tidewater Willowmere Wrenfield
""")
COMPANY_LAST = _words("""
    Analytics Biotech Cargo Ceramics Clinics Energy Foods Freight Games Insurance Interiors Labs Learning
    Logistics Media Mobility Optics Outfitters Payments Robotics Software Systems Textiles Travel Ventures
""")
INDUSTRIES = {"software": 8, "retail": 5, "finance": 4, "health": 4, "manufacturing": 4, "media": 3, "education": 2}
KINDS = {"company": 72, "agency": 11, "nonprofit": 9, "university": 8}
PLANS = {"free": 9, "starter": 6, "growth": 4, "enterprise": 1}
COUNTRIES = {"US": 40, "GB": 15, "DE": 14, "FR": 9, "CA": 7, "NL": 5, "SE": 4, "IN": 4, "AU": 2}
HOURS_FROM_UTC = {"US": -6, "GB": 0, "DE": 1, "FR": 1, "CA": -5, "NL": 1, "SE": 1, "IN": 5, "AU": 10}
ROLES = {"member": 50, "buyer": 24, "admin": 18, "owner": 8}
TITLES = {
    "Engineer": 9,
    "Analyst": 7,
    "Marketing Manager": 6,
    "Product Manager": 5,
    "Operations Lead": 4,
    "Designer": 3,
    "Head of Growth": 2,
    "Finance Manager": 2,
    "Founder": 1,
}
DOMAINS = {"example.com": 6, "example.org": 2, "example.net": 2}
AREA_CODES = (202, 206, 213, 303, 312, 404, 415, 503, 512, 617, 646, 702, 713, 804, 919)

EVENTS = {
    "Page Viewed": 39,
    "Feature Used": 25,
    "Signed In": 16,
    "Order Completed": 13,
    "Change Merged": 5,
    "Invite Sent": 2,
}
PAGES = {
    "/": 10,
    "/pricing": 6,
    "/docs": 9,
    "/docs/start": 5,
    "/blog": 4,
    "/integrations": 3,
    "/account": 3,
    "/changelog": 2,
}
FEATURES = {"dashboard": 9, "export": 5, "alerts": 4, "search": 6, "comments": 4, "api": 3, "audit log": 1}
PRODUCTS = {"seats": 1_200, "storage": 900, "reports": 2_450, "support": 4_900, "training": 14_900}  # price in cents
